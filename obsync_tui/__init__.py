"""obsync: OceanBase and MySQL changes to Kafka, from one Python package."""

__version__ = "0.1.0"
