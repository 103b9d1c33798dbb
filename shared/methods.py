"""The payment methods: what people call each one, and what its reference number means.

This is the one list. Requests, totals, mails, statements and the OpenAPI document follow it;
tests name every place in the browser's code that does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.text import INVISIBLE_LETTERS

Method = Literal["credit_card", "cash", "check", "ach"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRules:
    """label: as in the middle of a sentence. reference_is_unique: no two payments share one."""

    label: str
    reference_is_required: bool = False
    reference_is_unique: bool = False


METHODS: Mapping[str, MethodRules] = {  # in the order of the payment form
    "credit_card": MethodRules(label="credit card"),
    "cash": MethodRules(label="cash"),
    "check": MethodRules(label="check", reference_is_required=True, reference_is_unique=True),
    "ach": MethodRules(label="ACH", reference_is_unique=True),
}


OTHER_METHODS = "another method"


def counted_as(method: str) -> str:
    """Under which name a statement counts it: whoever writes into the tables can invent any."""
    return method if method in METHODS else OTHER_METHODS


CURRENCY = "USD"  # the one that amounts are in
OTHER_CURRENCY = f"its currency is not {CURRENCY}"
OTHER_METHOD = "its method is none that the app has"


def foreign(currency: str, method: str) -> str:
    """Why the app never writes an entry with these, in words; empty if it does."""
    if currency != CURRENCY:
        return OTHER_CURRENCY
    return "" if method in METHODS else OTHER_METHOD


_IN_FRONT = re.compile(r"^(?:ach|check|cheque|chk|chq|ck|trace)?(?:number|num|nr|no)?(?=[0-9])")


def label_of(method: str) -> str:
    """The method as people call it; one that this release does not know keeps its own name."""
    return METHODS[method].label if method in METHODS else method


def title_of(method: str) -> str:
    """The label as it starts a line."""
    label = label_of(method)
    return label[:1].upper() + label[1:]


def reference_key(reference: str) -> str:
    """The reference as numbers are compared: "00-42", "No. 42" and "42" are one.

    Empty if nothing shows.
    Letters and digits, folded, without what people write in front of a number and the zeros that
    forms print there.
    """
    folded = unicodedata.normalize("NFKC", reference).casefold()
    kept = "".join(each for each in folded if each.isalnum() and each not in INVISIBLE_LETTERS)
    number = _IN_FRONT.sub("", kept, count=1)
    return number.lstrip("0") or number[:1]


def is_unique_reference(method: str, reference: str) -> bool:
    """Whether this is a check number or an ACH trace number, rather than a word such as "n/a"."""
    is_number = any(each.isdigit() for each in reference_key(reference))
    return is_number and method in METHODS and METHODS[method].reference_is_unique
