"""Why there is a mail, or why not, in Japanese and English (P4, P12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS: dict[str, tuple[str, str]] = {
    # carried by a message
    "planned": (
        "条件を満たしたため、メールを作成しました。",
        "The conditions hold, so a mail was made.",
    ),
    "shared": (
        "同じ日のほかのご注文と一通にまとめました。",
        "It shares one mail with the other orders of that day.",
    ),
    "added": (
        "同じ日のお礼メールが送信済みのため、追加のご注文として短いメールにしました。",
        "The thank-you of that day had gone, so a short mail about the added order was made.",
    ),
    "postponed": (
        "ほかのメールと近すぎるため、送信予定を後ろへずらしました。",
        "It would have come too close to another mail, so it was moved to a later time.",
    ),
    "written_by_staff": (
        "担当者が書いた個別メールです。",
        "A clerk wrote this mail to one customer.",
    ),
    "sent_again": (
        "担当者が、送信済みのメールをもう一度送ることにしました。",
        "A clerk decided to send an earlier mail again.",
    ),
    # waiting
    "first_poll": (
        "取り消しの有無を確かめるため、次の受注取込を待っています。",
        "Waiting for the next order import, in case the order is cancelled at once.",
    ),
    "unpaid": ("ご入金を待っています。", "Waiting for the payment to arrive."),
    "not_shipped": ("発送を待っています。", "Waiting for the parcel to be dispatched."),
    "step_not_sent": (
        "前の回のメールが送信されるのを待っています。",
        "Waiting for the earlier mail of this series to be sent.",
    ),
    "grant_pending": (
        "特典がまだ付与されていないため、待っています。",
        "Waiting for the reward to be earned; that happens at dispatch.",
    ),
    "reward_to_decide": (
        "特典をお渡しするかどうか、担当者の判断を待っています。",
        "Waiting for staff to decide whether the reward is given.",
    ),
    "number_uncertain": (
        "購入回数が確かでないため、節目のメールは待っています。",
        "The visit number is uncertain, so the milestone mail waits.",
    ),
    "identity_unsure": (
        "名寄せが未確定のため、広告メールは送らずに待っています。",
        "It is not settled who this customer is, so advertising waits.",
    ),
    "open_note": (
        "要対応の対応履歴があるため、対応済みになるまで待っています。",
        "An open contact note stands, so this waits until it is done.",
    ),
    "unpaid_order": (
        "お支払いの済んでいないご注文があるため、広告メールは送らずに待っています。",
        "An order is not paid yet, so advertising waits.",
    ),
    # before the start
    "before_active_from": (
        "送信開始日より前のため、送りません。",
        "It lies before the day from which this kind is sent.",
    ),
    # another sender
    "sender_mall": (
        "この店舗では、このメールはモールが送ります。",
        "On this channel the marketplace sends this mail.",
    ),
    "sender_cart": (
        "この店舗では、このメールはカートが送ります。",
        "On this channel the shopping cart sends this mail.",
    ),
    "sender_hub": (
        "この店舗では、このメールは受注管理システムが送ります。",
        "On this channel the order management system sends this mail.",
    ),
    "sender_nobody": (
        "この店舗では、このメールは送らない設定です。",
        "On this channel nobody is set to send this mail.",
    ),
    # policy
    "policy_forbids": (
        "このモールでは、この種類のメールを送れません。",
        "This marketplace does not allow this kind of mail.",
    ),
    "platform_sends": (
        "モールの機能で担当者が配信します。文面と条件を用意しました。",
        "Staff send this with the marketplace's own tool; text and conditions are prepared.",
    ),
    "no_consent": (
        "お客様の広告メールの同意がないため、送りません。",
        "The customer has not agreed to advertising mail.",
    ),
    "text_advertises": (
        "文面に広告が含まれ、お客様の同意がないため、送りません。",
        "The text advertises and the customer has not agreed to that.",
    ),
    "suppressed": ("配信停止中のお客様のため、送りません。", "This customer must not be mailed."),
    "suppressed_ads": (
        "広告メールの配信停止を希望されているため、送りません。",
        "The customer does not want advertising mail.",
    ),
    "erased": (
        "お客様のご希望により個人情報を消去したため、送りません。",
        "The customer's personal data was erased on request.",
    ),
    "no_address": (
        "この店舗でのメールアドレスがないため、送れません。",
        "There is no mail address from this channel.",
    ),
    "no_channel": (
        "送信に使える自社店舗でのメールアドレスがないため、送れません。",
        "There is no own shop through which this customer gave an address.",
    ),
    # caps
    "same_kind_recently": (
        "同じ種類のメールを{days}日以内に送っているため、送りません。",
        "The same kind of mail went to this customer within {days} days.",
    ),
    "ads_recently": (
        "ほかのメールとの間隔を空けると時機を過ぎるため、送りません。",
        "Keeping the distance to other mails would make it too late.",
    ),
    "same_text_recently": (
        "同じ文面を{days}日以内に送っているため、送りません。",
        "The same text went to this customer within {days} days.",
    ),
    # too late
    "past_useful": ("時機を過ぎたため、送りません。", "It has become too late to be useful."),
    "already_shipped": (
        "すでに発送済みのため、御礼のメールは送りません。",
        "The parcel has been dispatched, so the thank-you comes too late.",
    ),
    "never_shipped": (
        "{days}日たっても発送の記録がないため、終了しました。",
        "No dispatch was recorded within {days} days.",
    ),
    "never_paid": (
        "{days}日たってもご入金の記録がないため、終了しました。",
        "No payment was recorded within {days} days.",
    ),
    "reward_expired": ("特典の期限が過ぎました。", "The reward has expired."),
    "no_slot": (
        "設定された曜日と休業日では、送れる日がありません。",
        "The rule's weekdays and the closed days leave no day to send on.",
    ),
    # not wanted
    "no_rule_fits": (
        "このランク・購入回数に当てはまるルールがありません。",
        "No rule speaks to this rank and visit number.",
    ),
    "subscription_repeat": (
        "定期便の2回目以降のお届けのため、送りません。",
        "It is a later delivery of a subscription.",
    ),
    "milestone_instead": (
        "節目のメールを送るため、フォローメールは送りません。",
        "The milestone mail takes the place of this follow-up.",
    ),
    "no_reward_entered": (
        "節目の特典が設定されていないため、メールは送りません。",
        "No reward is entered for this milestone, so there is no mail about one.",
    ),
    "before_start": (
        "運用開始前に到達した節目のため、送りません。",
        "This milestone was passed before the start.",
    ),
    "reward_declined": (
        "担当者が特典を見送ったため、送りません。",
        "Staff decided not to give this reward.",
    ),
    "gave_up": (
        "最後のご注文から{days}日たったため、ご案内を終えました。",
        "The last order was {days} days ago, so no more invitations are sent.",
    ),
    # cancelled
    "order_cancelled": ("ご注文が取り消されました。", "The order was cancelled."),
    "order_refunded": ("ご注文が全額返金されました。", "The order was refunded in full."),
    "order_returned": ("ご注文が返品されました。", "The order was returned."),
    "order_gone": (
        "受注の取込が取り消されたため、ご注文がなくなりました。",
        "The order is gone because its import was undone.",
    ),
    "ordered_again": (
        "その後ご注文をいただいたため、取りやめました。",
        "The customer has ordered again since.",
    ),
    "number_changed": (
        "購入回数が変わり、この節目ではなくなりました。",
        "The visit number changed and is no longer this milestone.",
    ),
    "reward_voided": ("特典が取り消されました。", "The reward was withdrawn."),
    "merged_away": (
        "名寄せにより、別の顧客のメールに引き継がれました。",
        "The customer was matched with another, whose mail takes over.",
    ),
    # already
    "replaced_order_thanked": (
        "取り消し前のご注文に御礼を送信済みのため、送りません。",
        "The order it replaces has been thanked for already.",
    ),
    "already_said": (
        "同じ内容を送信済みのため、送りません。",
        "The same thing has been said already.",
    ),
}

_UNKNOWN = ("理由の記録: {code}", "Recorded reason: {code}")


def outcome_words(reason: Mapping[str, Any], locale: str) -> str:
    """The reason of an occasion as a sentence in ``ja`` or ``en``."""
    code = str(reason.get("code", ""))
    japanese, english = WORDS.get(code, _UNKNOWN)
    sentence = english if locale == "en" else japanese
    return sentence.format_map({"code": code, "days": "?", **reason})
