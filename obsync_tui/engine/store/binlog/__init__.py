"""The Store over the MySQL binlog protocol, as MySQL and OceanBase Binlog Service speak it."""
