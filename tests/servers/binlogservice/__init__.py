"""OceanBase's Binlog Service behind ODP, modelled from its reference for tests; no real one was at hand."""

from tests.servers.binlogservice.service import BinlogService

__all__ = ["BinlogService"]
