"""The value dialect of OMS's Default, Canal, Dataworks, SharePlex and DefaultExtendColumnType formats."""

from obsync_tui.engine.formats.plan import Renderer
from obsync_tui.model.table import Column

_RENDERERS: dict[Renderer, tuple[str, ...]] = {
    Renderer.NUMBER: (
        *("tinyint", "smallint", "mediumint", "int", "bigint", "year"),
        *("decimal", "numeric", "float", "double"),
    ),
    Renderer.STRING: (
        *("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"),
        *("date", "time", "datetime"),
    ),
    Renderer.BASE64: (
        *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"),
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    ),
    Renderer.UNIX_FRACTION: ("timestamp",),
}
_BY_TYPE = {data_type: renderer for renderer, types in _RENDERERS.items() for data_type in types}


def oms_renderer(column: Column) -> Renderer:
    """How OMS's own formats write the column; ValueError for a type that they do not know."""
    renderer = _BY_TYPE.get(column.data_type)
    if renderer is None:
        raise ValueError(f"column {column.name}: type {column.column_type} is not supported")
    return renderer


def schema_type(column: Column) -> str:
    """OMS's name of the column's type in `__light_type`."""
    return _LIGHT_TYPES.get(column.data_type, column.data_type.upper())


_LIGHT_TYPES = {"numeric": "DECIMAL", "geomcollection": "GEOMETRYCOLLECTION"}
