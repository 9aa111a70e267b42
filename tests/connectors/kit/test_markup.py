"""XML of strangers: repeated elements, CDATA, and what is never read."""

import pytest

from connectors.kit.markup import MOST_DEPTH, BrokenXml, element, leaf, parse

BOMB = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'
FILE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'


def test_elements_become_trees_and_several_of_a_name_a_list() -> None:
    body = "<R><A>1</A><B><![CDATA[<茶> & 菓子]]></B><A>2</A><A/><C x='1'> </C></R>".encode()
    assert parse(body) == {"R": {"A": ["1", "2", ""], "B": "<茶> & 菓子", "C": ""}}


@pytest.mark.parametrize("body", [BOMB, FILE, b"<!DOCTYPE a><a/>"])
def test_no_document_type_and_no_entity_is_read(body: bytes) -> None:
    with pytest.raises(BrokenXml, match="entity"):
        parse(body)


@pytest.mark.parametrize("body", [b"<a><b>", b"<a><b", b"", b"<a><![CDATA[x"])
def test_a_body_that_breaks_off_is_told_from_a_broken_one(body: bytes) -> None:
    with pytest.raises(BrokenXml) as caught:
        parse(body)
    assert caught.value.cut


@pytest.mark.parametrize("body", [b"<a>&nbsp;</a>", b"<a></b>", b'{"a": 1}', b"<a>\xff</a>"])
def test_what_is_no_xml_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenXml) as caught:
        parse(body)
    assert not caught.value.cut


def test_forbidden_control_characters_are_left_out() -> None:
    assert parse(b"<a>tea\x0b\x00</a>") == {"a": "tea"}


def test_endless_nesting_is_refused() -> None:
    depth = MOST_DEPTH + 1
    with pytest.raises(BrokenXml, match="deep"):
        parse(b"<a>" * depth + b"</a>" * depth)


def test_a_value_cannot_break_out() -> None:
    assert element("R", leaf("A", "</A><B>&")) == "<R><A>&lt;/A&gt;&lt;B&gt;&amp;</A></R>"
