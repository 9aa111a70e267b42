"""What staff call states, flags, kinds and moves, in Japanese and English: the desk's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATES: dict[str, tuple[str, str]] = {
    "scheduled": ("下書き", "Draft"),
    "in_review": ("確認待ち", "To review"),
    "on_hold": ("保留", "On hold"),
    "approved": ("承認済み", "Approved"),
    "sending": ("送信中", "Sending"),
    "sent": ("送信済み", "Sent"),
    "bounced": ("不達", "Bounced"),
    "complained": ("迷惑メール報告", "Reported as spam"),
    "sent_back": ("差し戻し", "Sent back"),
    "retry_wait": ("再試行待ち", "Waiting to retry"),
    "failed": ("送信失敗", "Failed"),
    "unconfirmed": ("送信結果が不明", "Outcome unknown"),
    "cancelled": ("取消", "Cancelled"),
    "expired": ("時機を過ぎたため中止", "Too late, not sent"),
    "suppressed": ("配信停止中のため対象外", "Skipped, opted out"),
    "handoff": ("モール配信の準備", "Marketplace mailing"),
    "handed_off": ("モールで配信済み", "Mailed by marketplace"),
}
"""By the word of MessageState."""

KINDS: dict[str, tuple[str, str]] = {
    "order_thanks": ("サンクスメール", "Thank-you mail"),
    "shipping_notice": ("発送連絡メール", "Dispatch mail"),
    "follow_up": ("フォローメール", "Follow-up mail"),
    "review_request": ("レビューのお願い", "Review request"),
    "milestone": ("節目のメール", "Milestone mail"),
    "win_back": ("休眠掘り起こしメール", "Win-back mail"),
    "birthday": ("誕生日メール", "Birthday mail"),
    "rank_up": ("ランクアップのメール", "Rank-up mail"),
    "personal": ("個別メール", "Personal mail"),
}
"""By the word of MailKind."""

FLAGS: dict[str, tuple[str, str]] = {
    "buyer_comment": ("お客様コメントあり", "Buyer comment"),
    "hub_hold": ("受注側で保留・変更あり", "Held or changed at the order side"),
    "open_inquiry": ("お問い合わせ対応中", "Inquiry open"),
    "open_note": ("要対応の対応履歴あり", "Open note"),
    "gift": ("贈り物", "Gift"),
    "late_delivery": ("お届け日指定・予約", "Date set or pre-order"),
    "number_uncertain": ("回数が不確か", "Count unsure"),
    "identity_unsure": ("同じ方か不確か", "Person unsure"),
    "organisation": ("法人・団体", "Organisation"),
    "differs_from_last": ("前回の案内と不一致", "Differs from the last mail"),
    "new_template": ("新しい文面の最初の確認", "New text, first look"),
    "fallback_value": ("代わりの言葉が入っています", "Stand-in words"),
    "facts_changed": ("内容が変わりました", "Facts changed"),
    "unusual_amount": ("金額がいつもと違う", "Odd amount"),
    "policy_unverified": ("モールの規約が未確認", "Rules not verified"),
    "relay_missing": ("モールの中継が未設定", "No relay set up"),
    "missing_value": ("差し込みが足りません", "A value is missing"),
    "text_missing": ("文面がありません", "No text"),
    "text_refused": ("文面に使えない言葉", "Forbidden words"),
    "pool_empty": ("クーポンが足りません", "Coupons used up"),
    "coupon_pending": ("クーポンをショップで作成中", "Coupon being made"),
    "odd_address": ("宛先の形が変わっています", "Odd address"),
    "milestone_missed": ("節目の特典を決めてください", "Milestone to decide"),
    "unknown_status": ("受注ステータスが不明", "Status unknown"),
    "spent_currency": ("通貨の換算がありません", "No exchange rate"),
}
"""By the word of Flag."""

MOVES: dict[str, tuple[str, str]] = {
    "submit": ("確認待ちに", "To review"),
    "auto_approve": ("自動で承認", "Approved by rule"),
    "hold_unready": ("足りないものがあり保留", "Held, something is missing"),
    "approve": ("承認", "Approved"),
    "hold": ("保留", "Held"),
    "release": ("保留解除", "Released"),
    "reschedule": ("作り直し", "Made anew"),
    "send_back": ("差し戻し", "Sent back"),
    "resubmit": ("確認待ちへ戻す", "Back to review"),
    "undo": ("承認を取り消し", "Approval undone"),
    "lapse": ("承認が外れました", "Approval lapsed"),
    "send": ("送信を開始", "Sending began"),
    "sent": ("送信済み", "Sent"),
    "retry": ("再試行待ち", "Will be tried again"),
    "fail": ("送信失敗", "Failed"),
    "unsure": ("送信結果が不明", "Outcome unknown"),
    "was_sent": ("送れていた", "Had been sent"),
    "was_not_sent": ("送れていなかった", "Had not been sent"),
    "abandon": ("送らないことに", "Will not be sent"),
    "cancel": ("取消", "Cancelled"),
    "expire": ("時機を過ぎたため中止", "Too late"),
    "suppress": ("対象外", "Skipped"),
    "hand_off": ("モール配信の準備", "Marketplace mailing"),
    "handed_off": ("モールで配信済み", "Mailed by marketplace"),
    "bounce": ("不達", "Bounced"),
    "complain": ("迷惑メール報告", "Reported"),
    "edit": ("編集", "Edited"),
    "send_again": ("もう一度送る下書き", "Drafted again"),
}
"""By the name of the move."""

ACTORS: dict[str, tuple[str, str]] = {
    "system": ("自動", "Automatic"),
    "staff": ("担当者", "Staff"),
    "dispatch": ("送信", "Dispatch"),
}
"""By the word of Actor."""

ORDER: dict[str, tuple[str, str]] = {
    "open": ("受付中", "open"),
    "cancelled": ("取消", "cancelled"),
    "unpaid": ("未入金", "unpaid"),
    "authorized": ("与信済み", "authorised"),
    "paid": ("入金済み", "paid"),
    "refunded_part": ("一部返金", "partly refunded"),
    "refunded": ("返金済み", "refunded"),
    "unshipped": ("未発送", "not dispatched"),
    "part": ("一部発送", "partly dispatched"),
    "shipped": ("発送済み", "dispatched"),
    "delivered": ("配達済み", "delivered"),
    "returned": ("返品", "returned"),
}
"""The three states of an order."""

GRANTS: dict[str, tuple[str, str]] = {
    "reserved": ("確保済み(発送で付与)", "reserved until dispatch"),
    "earned": ("付与済み", "earned"),
    "used": ("使用済み", "used"),
    "released": ("解除", "released"),
    "voided": ("取消", "withdrawn"),
    "expired": ("期限切れ", "expired"),
    "before_start": ("運用開始前に到達", "passed before the start"),
    "to_decide": ("担当者の判断待ち", "waiting for staff to decide"),
    "declined": ("見送り", "declined by staff"),
}
"""By the word of GrantState."""

GRANT_REASONS: dict[str, tuple[str, str]] = {
    "ready_to_pack": ("発送準備中", "ready to pack"),
    "dispatched": ("発送済み", "dispatched"),
    "coupon_used": ("クーポンが使われました", "the coupon was used"),
    "given_by_staff": ("担当者が付与", "given by staff"),
    "before_start": ("運用開始前に到達", "reached before the start"),
    "before_history": ("取り込んだ履歴より前に到達", "reached before the history begins"),
    "uncertain": ("回数か同一人物かが不確か", "number or person uncertain"),
    "missed": ("気づく前に発送されました", "the parcel left unseen"),
    "gift_limit": ("おまけが景品の上限を超えます", "the gift is above the legal limit"),
    "pool_empty": ("クーポンが足りません", "no coupon code left"),
    "order_gone": ("受注の取消など", "the order fell away"),
    "renumbered": ("回数が変わりました", "the number changed"),
    "same_person": ("同じ方に付与済み", "the same person has it already"),
    "order_returned": ("返品", "the order came back"),
    "kept_after_return": ("返品後もお手元に", "kept after the return"),
    "coupon_ending": ("返品・クーポンを無効にしています", "came back, its coupon is being ended"),
}
"""Why a reward stands where it stands, by the code of its reason."""

NO_COUPON: dict[str, tuple[str, str]] = {
    "other_channel": (
        "クーポンなし(別のショップのクーポンのため)",
        "no coupon: it is another shop's",
    ),
    "ending": ("クーポンなし(まもなく終了のため)", "no coupon: it ends soon"),
}
"""Why a reward went without its coupon."""

ITEMS: dict[str, tuple[str, str]] = {
    "card": ("カード", "card"),
    "sample": ("おまけ", "sample"),
    "letter": ("手紙", "letter"),
}
"""What may lie in a parcel, by the item's first word."""

CARD_HOLDS: dict[str, tuple[str, str]] = {
    "no_text": ("このモールのカードの文面がありません", "no card text for this marketplace"),
    "missing_value": ("差し込みが足りません", "a value is missing"),
    "coupon_pending": ("クーポンをショップで作成中です", "the shop is still making its coupon"),
    "refused": ("文面に使えない言葉", "the text is refused"),
}
"""Why a card must not be printed yet."""

TIES: dict[str, tuple[str, str]] = {
    "by_member": ("会員番号が同じ", "same member number"),
    "by_email": ("メールが同じ", "same mail address"),
    "by_relay_email": ("あんしんメルアドが同じ", "same masked address"),
    "by_phone_name": ("電話と名前が同じ", "same phone and name"),
    "by_name_address": ("名前と住所が同じ", "same name and address"),
    "by_order": ("この受注だけ", "this order alone"),
    "phone_name": ("電話と名前が同じ", "same phone and name"),
    "name_address": ("名前と住所が同じ", "same name and address"),
    "email": ("メールが同じ", "same mail address"),
    "member": ("会員番号が違う", "different member numbers"),
}
"""Why keys belong to one person, or may."""


def say(words: dict[str, tuple[str, str]], code: str, locale: str) -> str:
    """The word for a code in ``ja`` or ``en``; the code itself where there is none."""
    japanese, english = words.get(code, (code, code))
    return english if locale == "en" else japanese


def item_label(item: str, label: str, milestone: int | None, locale: str) -> str:
    """What to lay in: the shop's own name for it, else its word with the milestone before it."""
    if label:
        return label
    word = say(ITEMS, item.partition(":")[0], locale)
    if milestone is None:
        return word
    return f"{word} for visit {milestone}" if locale == "en" else f"{milestone}回目の{word}"


def grant_words(state: str, reason: Mapping[str, Any], locale: str) -> str:
    """Where a reward stands and why, in one line."""
    why = [say(GRANT_REASONS, reason["code"], locale)] if "code" in reason else []
    why += [say(NO_COUPON, reason["coupon"], locale)] if "coupon" in reason else []
    between = "; " if locale == "en" else "、"
    return (
        f"{say(GRANTS, state, locale)}: {between.join(why)}" if why else say(GRANTS, state, locale)
    )
