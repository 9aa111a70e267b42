"""What programs send and get about customers, notes and errands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from worker.pipeline.notes import NoteWords
from worker.rules.states import MessageState, Via

Version = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(max_length=4000)]


class CustomerRow(BaseModel):
    """One customer of the list; money in minor units of the ledger currency."""

    id: int
    name: str | None
    kana: str | None
    phone: str | None
    email: str | None
    postal_code: str | None
    address: str | None
    birthday: date | None
    rank: str | None
    visits: int
    orders: int
    spend: int
    last_order_at: datetime | None
    guest: bool


class CustomerPage(BaseModel):
    """``after`` given again goes on behind the last row; empty where there is no more."""

    rows: list[CustomerRow]
    after: str


class ScopeStanding(BaseModel):
    """Standing within a scope; ``*`` is over all channels."""

    scope: str
    rank: str | None
    orders: int
    visits: int
    spend: int


class NoteRow(BaseModel):
    """A contact note; ``version`` is named by every change of it."""

    id: int
    version: int
    open: bool
    said: str
    gift_received: str
    ask_next: str
    ask_by: date | None
    via: str
    inquiry: bool
    by: str
    at: datetime


class CustomerCard(BaseModel):
    """A customer with standings, open and done notes, and the words for the next mail."""

    customer: CustomerRow
    standings: list[ScopeStanding]
    notes: list[NoteRow]
    personal_line: str
    question_line: str


class NewNote(BaseModel):
    """What was said; ``open`` holds follow-ups and advertising until it is done."""

    said: Text = ""
    gift_received: Text = ""
    ask_next: Text = ""
    ask_by: date | None = None
    via: Via | None = None
    inquiry: bool = False
    open: bool = False

    def words(self) -> NoteWords:
        """For the step."""
        return NoteWords(
            said=self.said,
            gift_received=self.gift_received,
            ask_next=self.ask_next,
            ask_by=self.ask_by,
            via=self.via,
            inquiry=self.inquiry,
        )


class ChangedNote(NewNote):
    """The fixed form over a note that was read at ``version``."""

    version: Version


class Read(BaseModel):
    """The version that was read."""

    version: Version


class Fields(BaseModel):
    """Fields a clerk may enter; one left out stays, an empty one is forgotten."""

    name: str | None = Field(default=None, max_length=200)
    kana: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=40)
    email: str | None = Field(default=None, max_length=254)
    postal_code: str | None = Field(default=None, max_length=20)
    address: str | None = Field(default=None, max_length=500)
    birthday: date | None = None


class Changed(BaseModel):
    """Names of the fields that changed."""

    fields: list[str]


class Lines(BaseModel):
    """Words for the next mail."""

    personal_line: str = Field(default="", max_length=2000)
    question_line: str = Field(default="", max_length=2000)


class Rewritten(BaseModel):
    """How many waiting mails were written anew."""

    messages: int


class Block(BaseModel):
    """What not to mail."""

    what: Literal["all", "ads"]
    note: str = Field(default="", max_length=500)


class Word(BaseModel):
    """What was done, or why."""

    word: str = Field(max_length=500)


class Blocked(BaseModel):
    """A block in force."""

    id: int


class TaskRow(BaseModel):
    """An errand for staff."""

    id: int
    kind: str
    subject: str
    detail: dict[str, Any]
    created_at: datetime


class Bounced(BaseModel):
    """Where a mail stands that came back."""

    id: str
    state: MessageState


class Pin(BaseModel):
    """A rank to hold in a scope, for good or up to a shop-local day."""

    scope: str = Field(max_length=80)
    rank: str = Field(max_length=40)
    until: date | None = None
    reason: str = Field(default="", max_length=500)


class Unpin(BaseModel):
    """The scope in which the ladder judges again."""

    scope: str = Field(max_length=80)


class Heard(BaseModel):
    """What the customer said about advertising of a channel, and how that is known."""

    channel_id: int
    agreed: bool
    evidence: str = Field(max_length=500)


class Gift(BaseModel):
    """Whether a reward that waits is given."""

    give: bool


class Settled(BaseModel):
    """The row that was settled."""

    id: int
