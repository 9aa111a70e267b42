"""Profiles are data: a shop writes its own, and mistakes are told by file and key."""

from pathlib import Path

import pytest

from connectors.contract import Fulfilment, Life, NeedsPerson
from connectors.csv_file.files import inspect_file, load_profiles, map_raw, read_file
from connectors.csv_file.profiles import BUILT_IN, Profiles, fold
from tests.connectors.csv_file.tables import PROFILES, write

OWN = """
name = "tea"
label = "お茶の店"
signature = ["伝票", "日付"]

[columns]
order_number = "伝票"
ordered_at = "日付"
email = "メール"
total = "金額"
status = "状態"

[status_map]
"済*" = "open/paid/shipped"

[constants]
currency = "JPY"
"""


def own(folder: Path, text: str, name: str = "tea") -> Profiles:
    """Load the built-in profiles and one of the shop's own."""
    place = folder / "profiles"
    place.mkdir(exist_ok=True)
    (place / f"{name}.toml").write_text(text, "utf-8")
    return load_profiles(place)


def test_every_shipped_profile_loads_and_has_its_own_name() -> None:
    names = {path.stem for path in BUILT_IN.glob("*.toml")}
    assert set(PROFILES.by_name) == names
    assert {"generic", "rakuten", "yahoo", "amazon", "shopify", "woocommerce"} <= names
    assert {"eccube4", "base", "colorme", "qoo10", "aupay", "order_hub"} <= names


def test_a_shop_s_own_profile_reads_its_file(tmp_path: Path) -> None:
    profiles = own(tmp_path, OWN)
    path = write(tmp_path, "伝票,日付,メール,金額,状態\n7,2026/02/01,a@b.jp,500,済（出荷）\n")
    preview = inspect_file(path, profiles=profiles)
    assert (preview.profile, preview.label) == ("tea", "お茶の店")
    (record,) = read_file(path, preview, profiles=profiles)
    assert record.raw is not None
    order = map_raw(record.raw, profiles)
    assert (order.number, order.total, order.fulfilment) == ("7", 500, Fulfilment.SHIPPED)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('status = "状態"\n', "status"),
        ('total = "金額"\n', "total"),
        ('currency = "JPY"\n', "currency"),
    ],
)
def test_without_status_total_or_currency_a_constant_must_be_declared(
    tmp_path: Path, line: str, field: str
) -> None:
    profiles = own(tmp_path, OWN.replace(line, ""))
    path = write(tmp_path, "伝票,日付,メール,金額,状態\n7,2026/02/01,a@b.jp,500,済\n")
    with pytest.raises(NeedsPerson, match="constant") as caught:
        inspect_file(path, profiles=profiles)
    assert f": {field}。" in caught.value.problem


def test_a_declared_constant_stands_in(tmp_path: Path) -> None:
    text = OWN.replace('status = "状態"\n', "").replace("[constants]", '[constants]\nstatus = "済"')
    profiles = own(tmp_path, text)
    path = write(tmp_path, "伝票,日付,メール,金額\n7,2026/02/01,a@b.jp,500\n")
    preview = inspect_file(path, profiles=profiles)
    assert preview.warnings == ("status_constant:済", "currency_constant:JPY")
    (record,) = read_file(path, preview, profiles=profiles)
    assert record.raw is not None
    assert map_raw(record.raw, profiles).life is Life.OPEN


def test_a_profile_may_extend_another_and_change_one_word(tmp_path: Path) -> None:
    words = '[status_map]\n"お渡し済" = "open/paid/delivered"\n'
    text = f'name = "mine"\nextends = "generic"\nzone = "UTC"\n{words}'
    profiles = own(tmp_path, text, "mine")
    path = write(
        tmp_path,
        "order_number,ordered_at,email,status\n1,2026-02-01 00:00,a@b.jp,お渡し済\n"
        "2,2026-02-01 00:00,a@b.jp,shipped\n",
    )
    preview = inspect_file(path, profiles=profiles, profile="mine")
    first, second = (
        map_raw(r.raw, profiles) for r in read_file(path, preview, profiles=profiles) if r.raw
    )
    assert (first.fulfilment, second.fulfilment) == (Fulfilment.DELIVERED, Fulfilment.SHIPPED)
    assert first.ordered_at.hour == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "tea.toml"),
        (OWN.replace("[columns]", "[colums]"), "colums"),
        (OWN.replace("email =", "e_mail ="), "e_mail"),
        (OWN.replace("open/paid/shipped", "open/payed/shipped"), "payed"),
        (OWN.replace("open/paid/shipped", "shipped"), "tea.toml"),
        (OWN.replace("signature", 'family = "ebay"\nsignature'), "ebay"),
        (OWN.replace("signature", 'zone = "Asia/Nowhere"\nsignature'), "Nowhere"),
        (OWN.replace('order_number = "伝票"\n', ""), "order_number"),
        (OWN.replace('"金額"', '{ add = ["金額"] }'), "add"),
        ('extends = "nobody"\n' + OWN, "nobody"),
        ('extends = "tea"\n' + OWN, "tea"),
    ],
)
def test_a_mistake_in_a_profile_is_told_by_file_and_key(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(NeedsPerson) as caught:
        own(tmp_path, text)
    assert "tea.toml" in caught.value.problem
    assert told in caught.value.problem


def test_a_header_that_nobody_knows_names_the_nearest_profile(tmp_path: Path) -> None:
    path = write(tmp_path, "注文番号,メールアドレス,金額\n1,a@b.jp,5\n")
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES)
    assert "generic, which lacks: ordered_at (ordered_at)" in caught.value.problem
    assert "orders.csv:1" in caught.value.problem


def test_two_profiles_that_fit_alike_are_put_to_a_person(tmp_path: Path) -> None:
    place = tmp_path / "profiles"
    place.mkdir()
    (place / "tea2.toml").write_text(OWN.replace('"tea"', '"tea2"'), "utf-8")
    profiles = own(tmp_path, OWN)
    path = write(tmp_path, "伝票,日付,メール,金額,状態\n7,2026/02/01,a@b.jp,500,済\n")
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=profiles)
    assert "tea" in caught.value.problem
    assert "--profile" in caught.value.remedy
    assert inspect_file(path, profiles=profiles, profile="tea2").profile == "tea2"


def test_a_marketplace_file_that_lacks_a_column_is_not_taken_for_a_generic_one(
    tmp_path: Path,
) -> None:
    header = "注文番号,ステータス,注文者メールアドレス,送付先姓,注文日時"
    path = write(tmp_path, f"{header}\n1,500,a@b.jp,見本,2026-02-01 10:00:00\n")
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES)
    assert "total (請求金額)" in caught.value.problem


def test_the_old_rakuten_layout_is_refused_in_clear_words(tmp_path: Path) -> None:
    header = "受注番号,受注ステータス,注文日時,注文者名字,合計金額,メールアドレス"
    path = write(tmp_path, f"{header}\n1,処理済,2017-01-01 10:00:00,見本,-99999,a@b.jp\n")
    with pytest.raises(NeedsPerson, match="2018"):
        inspect_file(path, profiles=PROFILES)


def test_an_unknown_profile_lists_those_at_hand(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES, profile="raktuen")
    assert "rakuten" in caught.value.remedy


@pytest.mark.parametrize(
    ("header", "folded"),
    [
        ("Order Number", "ordernumber"),
        ("order_number", "ordernumber"),
        ("氏（請求先）", "氏請求先"),
        ("氏(請求先)", "氏請求先"),
        ("ﾒｰﾙｱﾄﾞﾚｽ", "メールアドレス"),
        ("送料#2", "送料#2"),
    ],
)
def test_header_names_are_compared_without_width_case_and_brackets(
    header: str, folded: str
) -> None:
    assert fold(header) == folded
