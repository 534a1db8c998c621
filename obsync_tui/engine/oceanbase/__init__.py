"""What is OceanBase's own: sessions, versions, tenants, catalog, rights."""
