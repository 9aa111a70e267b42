"""Why a change of users, passwords, codes or tokens is refused, in words a clerk understands."""

from __future__ import annotations

from worker.pipeline.review_words import Refused

_WORDS: dict[str, tuple[str, str]] = {
    "user_unknown": ("この利用者はいません。", "There is no such user."),
    "name_taken": (
        "「{name}」という名前は使われているか、前に使われていました。別の名前にしてください。",
        "The name {name} is or was in use. Choose another.",
    ),
    "name_unfit": (
        "お名前は1文字から80文字までで、改行や「api:」で始まる名前は使えません。",
        "A name has 1 to 80 letters, on one line, and does not begin with api:.",
    ),
    "last_admin": (
        "管理の権限を持つ人がいなくなるため、変えられません。先にほかの人を管理にしてください。",
        "Nobody would be left who may administer. Make somebody else an admin first.",
    ),
    "user_off": (
        "この利用者は停止されています。先に再開してください。",
        "This user is switched off. Switch it on first.",
    ),
    "password_short": (
        "パスワードは{n}文字以上にしてください。",
        "A password has at least {n} letters.",
    ),
    "password_named": (
        "お名前と同じパスワードは使えません。",
        "A password must not be the name.",
    ),
    "password_wrong": ("いまのパスワードが違います。", "The present password is wrong."),
    "passwords_differ": (
        "2回目のパスワードが1回目と違います。",
        "The two new passwords are not the same.",
    ),
    "code_wrong": (
        "確認コードが違うか、もう使われました。アプリにいま出ている6桁を入れてください。",
        "The code is wrong or was used. Enter the six digits the app shows now.",
    ),
    "totp_on": (
        "2段階の確認はもう始まっています。",
        "The second step is in use already.",
    ),
    "totp_off": (
        "2段階の確認は使われていません。",
        "The second step is not in use.",
    ),
    "login_gone": ("このログインはもう終わっています。", "This login is over already."),
    "token_unknown": (
        "このトークンはないか、もう止められています。",
        "There is no such token, or it was revoked.",
    ),
    "token_unfit": (
        "トークンの名前は1文字から60文字まで、期限は1日から366日までです。",
        "A token's name has 1 to 60 letters and it lasts 1 to 366 days.",
    ),
    "token_taken": (
        "「{name}」というトークンがもうあります。",
        "There is a token named {name} already.",
    ),
}


class UserRefused(Refused):
    """A refusal about who may enter; nothing was changed."""

    def words(self, locale: str) -> str:
        """The sentence in ``ja`` or ``en``."""
        japanese, english = _WORDS[self.code]
        return (english if locale == "en" else japanese).format(**self.facts)
