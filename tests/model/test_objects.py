"""OMS's match rules and topic templates."""

import msgspec
import pytest

from obsync_tui.model.objects import SYSTEM_SCHEMAS, ObjectRules, topic_for
from obsync_tui.model.project import Message, Objects, Project, TableRule
from obsync_tui.model.table import TableName


def rules(*include: str, exclude: tuple[str, ...] = ()) -> ObjectRules:
    return ObjectRules(Objects(include, exclude))


# Names are written with / between database and table.
@pytest.mark.parametrize(
    ("rule", "matching", "other"),
    [
        ("shop.*", "shop/orders shop/中文 shop/a.b shop/", "shop2/orders Shop/orders ashop/x"),
        ("shop.Orders", "shop/Orders", "shop/orders shop/Orders2 shop/xOrders"),
        ("*.t_?", "a/t_1 b/t_é c/t_.", "a/t_ a/t_12 a/tx1"),
        ("s[abc]p.t", "sap/t sbp/t", "sdp/t sabp/t sp/t sAp/t"),
        ("s[a-c0-9]p.t", "sap/t s0p/t s9p/t", "sdp/t s-p/t"),
        ("s[!a-c]p.t", "sdp/t s.p/t", "sap/t sp/t"),
        ("s[-a]p.t", "s-p/t sap/t", "sbp/t"),
        ("s[^a]p.t", "s^p/t sap/t", "sbp/t"),
        ("db[.]x.t", "db.x/t", "dbyx/t"),
        ("a+b.c{2}", "a+b/c{2}", "aab/cc"),
        ("shop*.t", "shop/t shop_1/t", "shop_1/u"),
        ("*a*b*.*", "xaybz/t ab/t", "ba/t"),
        ("*.*", "a/b", ""),
    ],
)
def test_a_rule_matches(rule: str, matching: str, other: str) -> None:
    made = rules(rule)
    for name in matching.split():
        assert made.matches(TableName(*name.split("/"))), name
    for name in other.split():
        assert not made.matches(TableName(*name.split("/"))), name


def test_a_wildcard_does_not_cross_from_database_to_table() -> None:
    assert not rules("a*d.e").matches(TableName("ab", "cd.e"))
    assert not rules("a[!x]b.c").matches(TableName("a", "b.c"))


def test_scope_is_include_minus_exclude() -> None:
    made = rules("shop.*", "crm.users", exclude=("shop.tmp_*", "*.log"))
    names = ["shop.orders", "shop.tmp_1", "shop.log", "crm.users", "crm.other"]
    assert [n for n in names if made.matches(TableName(*n.split(".")))] == ["shop.orders", "crm.users"]


def test_system_schemas_never_match() -> None:
    made = rules("*.*")
    for schema in [*SYSTEM_SCHEMAS, "INFORMATION_SCHEMA"]:
        assert not made.matches(TableName(schema, "t"))
        assert not made.may_hold(schema)


def test_databases_are_known_beforehand() -> None:
    made = rules("shop.*", "c?m.users", "shop.x", exclude=("shop.gone",))
    assert [database for database in ("shop", "crm", "cm", "shop2") if made.may_hold(database)] == [
        "shop",
        "crm",
    ]
    assert made.databases() == ("shop",)
    assert made.named() == (TableName("shop", "x"),)


@pytest.mark.parametrize(
    "rule",
    [
        "shop",
        "shop.",
        ".t",
        "a.b.c",
        "shop. t",
        "sh op.t",
        "shop.t\n",
        "shop.`t`",
        "shop.t;",
        'shop."t"',
        "a|b.t",
    ]
    + [
        "shop.t=x",
        "shop.(t)",
        "shop.a/b",
        "shop.a&b",
        "shop.[",
        "shop.[]",
        "shop.[!]",
        "shop.a]",
        "shop.[z-a]",
    ]
    + ["shop.[a", "shop.[a*]", "sh'op.t", "shop.[[a]"],
)
def test_a_rule_that_cannot_be_read_is_named(rule: str) -> None:
    with pytest.raises(ValueError, match="rule"):
        rules(rule)


PROJECT = Project(
    id="np_abcdefabcdef",
    name="orders",
    source="shop",
    destination="events",
    objects=Objects(("shop.*",), tables=(TableRule("shop.special", topic="vip"), TableRule("shop.plain"))),
)


@pytest.mark.parametrize(
    ("template", "topic"),
    [
        ("${database}_${table}", "shop_orders"),
        ("Topic_${Database Name}_${Table Name}", "Topic_shop_orders"),
        ("everything", "everything"),
        ("${table}.${table}", "orders.orders"),
    ],
)
def test_a_template_makes_topics(template: str, topic: str) -> None:
    project = msgspec.structs.replace(PROJECT, message=Message(topic=template))
    assert topic_for(project, TableName("shop", "orders")) == topic
    assert topic_for(project, TableName("shop", "special")) == "vip"
    assert topic_for(project, TableName("shop", "plain")) == topic.replace("orders", "plain")


@pytest.mark.parametrize("template", ["${tabel}", "${Table}", "${}", "${table", "$table", "a$"])
def test_an_unknown_variable_is_named(template: str) -> None:
    project = msgspec.structs.replace(PROJECT, message=Message(topic=template))
    with pytest.raises(ValueError, match=r"is not a variable.*\$\{database\} and \$\{table\}"):
        topic_for(project, TableName("shop", "orders"))


def test_names_with_template_syntax_stay_as_they_are() -> None:
    assert topic_for(PROJECT, TableName("${table}", "x\\1")) == "${table}_x\\1"
