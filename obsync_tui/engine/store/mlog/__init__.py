"""The view-log Store: changes of an OceanBase tenant, polled from materialized view logs that the project owns."""
