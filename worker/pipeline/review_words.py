"""Why the desk refuses, in words a clerk understands; the code is for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REFUSALS: dict[str, tuple[str, str]] = {
    "not_found": ("このメールは見つかりません。", "This mail does not exist."),
    "stopped": (
        "送信停止中のため承認できません。停止を解除してからもう一度お試しください。",
        "Sending is stopped. Lift the stop, then try again.",
    ),
    "forbidden": (
        "このモールでは、この種類のメールを送れません。",
        "This marketplace does not allow this kind of mail.",
    ),
    "policy_hold": (
        "このモールの規約が確認できていないため、送れません。",
        "This marketplace's rules have not been verified, so it cannot be sent.",
    ),
    "platform": (
        "モールの機能から送るメールです。ここからは送れません。",
        "This is sent with the marketplace's own tool, not from here.",
    ),
    "relay_missing": (
        "モールの中継サーバーが設定されていないため、送れません。",
        "The marketplace's relay is not configured, so it cannot be sent.",
    ),
    "no_consent": (
        "お客様の広告メールの同意がありません。承認だけでは送れません。",
        "The customer has not agreed to advertising; approving cannot replace that.",
    ),
    "suppressed": (
        "配信停止のお客様です。",
        "This customer must not be mailed.",
    ),
    "expired": (
        "送る時期を過ぎています。",
        "It is too late for this mail to be useful.",
    ),
    "not_rendered": (
        "本文がまだできていません。",
        "The text is not written yet.",
    ),
    "no_recipient": ("宛先がありません。", "There is no recipient address."),
    "no_sender": (
        "この店舗の差出人アドレスが設定されていません。",
        "This channel has no sender address.",
    ),
    "facts_changed": (
        "作成後に内容が変わりました。作り直してから承認してください。",
        "What the text says has changed since. Write it anew before approving.",
    ),
    "reason_required": ("理由を入力してください。", "Please give a reason."),
    "undo_over": (
        "取り消しできる時間を過ぎました。保留または取消をお使いください。",
        "The time for undoing is over. Hold or cancel it instead.",
    ),
    "empty_filter": (
        "条件がありません。誰のメールも選ばれていません。",
        "No condition was given, so nobody is selected.",
    ),
    "count_differs": (
        "{expected}通のはずが、いまは{found}通です。一覧を見直してください。",
        "Expected {expected} mails, now there are {found}. Look at the list again.",
    ),
    "text_refused": ("本文に直すところがあります: {why}", "The text needs mending: {why}"),
    "again_waiting": (
        "再送用のメールがすでにあります。",
        "A mail that sends it again is already waiting.",
    ),
    "not_out": (
        "再送できるのは、送信済みまたは送信失敗のメールだけです。",
        "Only mails that were sent or failed can be sent again.",
    ),
    "not_for_one": (
        "モールで配信するものは、ここからは再送できません。",
        "A marketplace mailing cannot be sent again from here.",
    ),
    "order_gone": (
        "受注が取り消されたため送れません。",
        "The order was cancelled, so this mail cannot go.",
    ),
    "not_in_review": (
        "確認待ちではありません（{state}）。",
        "This mail is not waiting to be read ({state}).",
    ),
    "not_editable": ("この状態のメールは編集できません。", "This mail can no longer be edited."),
    "day_ahead": (
        "まだ来ていない日は書けません。",
        "The day has not come yet.",
    ),
    "count_negative": ("件数は0以上で入力してください。", "The count must not be negative."),
    "being_read": (
        "{who}が見ています。代わってから承認してください。",
        "{who} has this mail open. Take over before approving.",
    ),
    "nothing_chosen": ("1件も選ばれていません。", "Nothing is chosen."),
    "requests_differ": (
        "{expected}件のはずが、いま依頼できるのは{found}件です。一覧を見直してください。",
        "Expected {expected} requests, now {found} can go. Look at the list again.",
    ),
    "stop_unknown": ("この送信停止はありません。", "There is no such stop."),
    "customer_unknown": ("この顧客は見つかりません。", "There is no such customer."),
    "order_unknown": ("この顧客の受注ではありません。", "This is no order of this customer."),
    "note_empty": ("何か書いてから残してください。", "Write something first."),
    "note_unknown": ("この対応メモは見つかりません。", "There is no such note."),
    "task_unknown": ("この用事はもう済んでいます。", "This task is done already."),
    "word_required": ("どうしたかをひとこと書いてください。", "Say in a word what was done."),
    "birthday_odd": ("誕生日を確かめてください。", "Please check the birthday."),
    "email_odd": ("メールアドレスを確かめてください。", "Please check the mail address."),
    "evidence_required": (
        "いつ、どのように伺ったかを書いてください。",
        "Say when and how the customer told you.",
    ),
    "no_address_here": (
        "この店舗で伺ったメールアドレスがありません。",
        "The customer gave this shop no mail address.",
    ),
    "suppression_unknown": (
        "この配信停止はもう解除されています。",
        "This opt-out has been lifted already.",
    ),
    "text_unknown": ("このテンプレートはありません。", "There is no such template."),
    "text_unchanged": (
        "公開中の文面から何も変わっていません。",
        "Nothing differs from the published text.",
    ),
    "text_empty": ("件名と本文を書いてください。", "Write a subject and a text."),
    "text_too_long": ("文面が長すぎます(64KBまで)。", "The text is too long (64 KB at most)."),
    "draft_changed": (
        "この下書きは、ほかの人が変えたか公開しました。開き直してください。",
        "Somebody changed or published this draft. Open it again.",
    ),
    "draft_outdated": (
        "「{name}」は、書き始めたあとに公開中の文面が変わりました。違いを見て保存し直してください。",
        "The published text of {name} changed after this draft was begun. Look and save again.",
    ),
    "draft_unfit": (
        "「{name}」に直すところが{n}つ残っています。",
        "{name} still has {n} things to mend.",
    ),
    "nothing_drafted": ("公開する下書きを選んでください。", "Choose the drafts to publish."),
    "note_required": (
        "何を変えたかをひとこと書いてください。",
        "Say in a word what has changed.",
    ),
    "order_unfit": (
        "この文面を使う店舗の受注ではありません。",
        "This order is not of a shop that uses this text.",
    ),
    "not_own_mailbox": (
        "テスト送信は、店舗の設定にあるアドレスにだけ送れます。",
        "A test goes to an address of the shop's own settings only.",
    ),
    "not_whole": (
        "この見本では文面ができあがりません。直すところを先に直してください。",
        "With this sample the text cannot be finished. Mend it first.",
    ),
    "draft_exists": (
        "この文面には下書きがあります。公開するか捨ててから戻してください。",
        "There is a draft of this text. Publish or drop it first.",
    ),
    "many_tests": (
        "テスト送信は1時間に{n}通までです。",
        "No more than {n} tests an hour.",
    ),
    "no_channel_yet": (
        "店舗がまだつながっていません。連携で店舗を追加してください。",
        "No shop is connected yet. Add one under Channels.",
    ),
    "four_eyes": (
        "この文面はあなたが書いたため、最初の承認はほかの人が行います(あと{n}通)。",
        "You wrote this text, so somebody else approves its first mails ({n} to go).",
    ),
    "version_unknown": ("この版はありません。", "There is no such version."),
}

HOLDS: dict[str, tuple[str, str]] = {
    "note_open": (
        "要対応の対応履歴があるため止めています。",
        "Held while a contact note is open.",
    ),
    "stopped": ("送信停止により保留しました。", "Held because sending was stopped."),
    "no_transport": (
        "この店舗の送信方法が設定されていません。",
        "No way of sending is configured for this channel.",
    ),
    "advertising_only_captured": (
        "広告メールはまだ外部へ送信できません。",
        "Advertising cannot leave by SMTP yet.",
    ),
    "not_composable": (
        "宛先・差出人・件名のどれかがメールに使えません。",
        "Recipient, sender or subject cannot be put into a mail.",
    ),
    "check_failed": (
        "送信前の確認ができませんでした。",
        "The check before sending could not be made.",
    ),
}
"""Why dispatch put a mail on hold, by ``Message.hold_reason``."""


def hold_words(reason: str, locale: str) -> str:
    """Words for a hold reason: a code's sentence, or what a clerk wrote as it stands."""
    pair = HOLDS.get(reason) or REFUSALS.get(reason)
    return reason if pair is None else pair[locale == "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """The parts of a mail that staff write; None leaves a part as it is."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None

    def given(self) -> dict[str, Any]:
        """Only the parts that were given, line ends made one."""
        found = {"subject": self.subject, "text": self.text, "html": self.html}
        return {k: v.replace("\r\n", "\n") for k, v in found.items() if v is not None}


class Refused(ValueError):
    """The desk says no; nothing was changed. ``code`` names why, ``facts`` fill the words."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.code, self.facts = code, facts
        super().__init__(f"{self.words('ja')} / {self.words('en')}")

    def words(self, locale: str) -> str:
        """The sentence in ``ja`` or ``en``."""
        japanese, english = REFUSALS[self.code]
        return (english if locale == "en" else japanese).format(**self.facts)


class StaleEdit(ValueError):
    """Somebody changed the message meanwhile; ``theirs`` is the difference to what was read."""

    def __init__(self, message_id: str, version: int, theirs: Any = None) -> None:
        super().__init__(
            f"{message_id}: 他の人が先に変更しました。/ changed by somebody else meanwhile"
            f" (now version {version})"
        )
        self.message_id, self.version, self.theirs = message_id, version, theirs
