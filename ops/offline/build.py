"""Write ops/verify_mbox.py: the parts of the offline verifier as one file (`make verifier`).

A part's imports from other parts are dropped, the standard library's are gathered at the top, and
what nothing needs is left out. A private name that two parts have is told apart by its part; other
names must differ.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "ops" / "verify_mbox.py"
PARTS = (  # each before those that need it
    "shared/text.py",
    "shared/zones.py",
    "shared/methods.py",
    "shared/keys.py",
    "shared/ledger.py",
    "shared/audit/delivery.py",
    "shared/audit/findings.py",
    "shared/statements/places.py",
    "shared/statements/expiry.py",
    "functions/audit_mailer/mails/page.py",
    "functions/audit_mailer/mails/envelope.py",
    "functions/audit_mailer/mails/related.py",
    "functions/audit_mailer/mails/payment_mail.py",
    "functions/audit_mailer/mails/ops_mail.py",
    "functions/audit_mailer/mails/statement_page.py",
    "ops/offline/ledger/links.py",
    "ops/offline/ledger/meaning.py",
    "ops/offline/ledger/chain.py",
    "ops/offline/ledger/public_key.py",
    "ops/offline/ledger/seals.py",
    "ops/offline/ledger/expiry.py",
    "ops/offline/ledger/sums.py",
    "ops/offline/ledger/days.py",
    "ops/offline/mail/page.py",
    "ops/offline/mail/others.py",
    "ops/offline/mail/shown.py",
    "ops/offline/operators.py",
    "ops/offline/box.py",
    "ops/offline/settled.py",
    "ops/offline/formats.py",
    "ops/offline/mail/labels.py",
    "ops/offline/mail/envelope.py",
    "ops/offline/mail/own.py",
    "ops/offline/mail/judged.py",
    "ops/offline/mails.py",
    "ops/offline/report.py",
    "ops/offline/excerpt/files.py",
    "ops/offline/excerpt/contents.py",
    "ops/offline/excerpt/judged.py",
    "ops/offline/excerpt/told.py",
    "ops/offline/program.py",
)
_OURS = ("functions", "ops", "shared")
_NOTE = "# Built by `make verifier` from the parts named below; change those, not this file.\n"


class NotOneFileError(ValueError):
    """The parts cannot be put together; the text says which line is in the way."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement, with the comments above it. names: defines. needs: reads."""

    part: str
    text: str
    names: frozenset[str]
    needs: frozenset[str]
    is_program: bool = False


def built(root: Path = ROOT) -> str:
    """The whole file. Raises NotOneFileError."""
    docstring, statements, imports = "", list[Statement](), dict[str, str]()  # name: module
    for part in PARTS:
        source = (root / part).read_text(encoding="utf-8")
        tree = ast.parse(source)
        docstring = ast.get_docstring(tree, clean=False) or ""
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                _gather(node, part, imports)
        statements += _statements(part, source, tree)
    kept = _needed(_told_apart(statements))
    _refuse_rivals(kept, imports)
    used = {name for each in kept for name in each.needs}
    lines = _import_lines({name: imports[name] for name in sorted(used & imports.keys())})
    head = f'#!/usr/bin/env python3\n"""{docstring}"""\n\n{_NOTE}'
    return "\n".join([head, "from __future__ import annotations", "", *lines, *_written(kept)])


def _gather(node: ast.Import | ast.ImportFrom, part: str, imports: dict[str, str]) -> None:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if alias.asname or (isinstance(node, ast.Import) and alias.name.startswith(_OURS)):
            raise NotOneFileError(f"{part}: import {alias.name} by its own names")
        if module == "__future__":
            continue
        if module.split(".")[0] in _OURS:
            if f"{module.replace('.', '/')}.py" not in PARTS:
                raise NotOneFileError(f"{part}: {module} is not a part of the verifier")
            continue
        if imports.setdefault(alias.name, module) != module:
            raise NotOneFileError(f"{part}: {alias.name} is imported from two places")


def _statements(part: str, source: str, tree: ast.Module) -> Iterator[Statement]:
    lines = source.splitlines()
    end = 0
    for node in tree.body:
        start, end = end, node.end_lineno or node.lineno
        first = start
        while not lines[first].strip():
            first += 1
        is_docstring = isinstance(node, ast.Expr) and first == 0
        if is_docstring or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        yield Statement(
            part=part,
            text="\n".join(lines[first:end]),
            names=frozenset(_defined(node)),
            needs=frozenset(_read(node)),
            is_program=isinstance(node, ast.If),
        )


def _told_apart(statements: Sequence[Statement]) -> list[Statement]:
    """Rename what two parts call by one private name: ops_mail has `_mails_ops_mail_rows`."""
    owners: dict[str, set[str]] = {}
    for each in statements:
        for name in each.names:
            owners.setdefault(name, set()).add(each.part)
    shared = {name for name, parts in owners.items() if name.startswith("_") and len(parts) > 1}
    return [
        _renamed(
            each,
            {name: f"_{_stem(each.part)}{name}" for name in shared if each.part in owners[name]},
        )
        for each in statements
    ]


def _stem(part: str) -> str:
    return "_".join(Path(part).with_suffix("").parts[-2:])


def _renamed(statement: Statement, names: Mapping[str, str]) -> Statement:
    """Attributes, such as self._page, keep their names."""
    if not names:
        return statement
    text = statement.text
    for name, other in names.items():
        text = re.sub(rf"(?<![\w.]){name}(?!\w)", other, text)
    return replace(
        statement,
        text=text,
        names=frozenset(names.get(each, each) for each in statement.names),
        needs=frozenset(names.get(each, each) for each in statement.needs),
    )


def _read(node: ast.stmt) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            yield each.id


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for each in ast.walk(target) if target else ():
            if isinstance(each, ast.Name):
                yield each.id


def _refuse_rivals(statements: Iterable[Statement], imports: Iterable[str]) -> None:
    owners: dict[str, str] = dict.fromkeys(imports, "the standard library")
    for each in statements:
        for name in each.names:
            if name in owners and owners[name] != each.part:
                raise NotOneFileError(f"{name} is in {owners[name]} and in {each.part}")
            owners[name] = each.part


def _needed(statements: list[Statement]) -> list[Statement]:
    """The program, and all that it reads, directly or not."""
    wanted = {name for each in statements if each.is_program for name in each.needs}
    size = -1
    while size != len(wanted):
        size = len(wanted)
        for each in statements:
            if each.names & wanted:
                wanted |= each.needs
    return [each for each in statements if each.is_program or each.names & wanted]


def _written(kept: list[Statement]) -> Iterator[str]:
    part, was_block = "", True
    for each in kept:
        is_block = each.text.startswith(("def ", "class ", "@", "if "))
        if each.part != part:
            part = each.part
            yield from ("", "", f"# ── {part} {'─' * (94 - len(part))}")
            yield from ("", "")
        elif is_block or was_block:
            yield from ("", "")
        yield each.text
        was_block = is_block
    yield ""


def _import_lines(imports: Mapping[str, str]) -> Iterator[str]:
    yield from (f"import {name}" for name, module in imports.items() if not module)
    for module in sorted({each for each in imports.values() if each}):
        names = ", ".join(name for name, each in imports.items() if each == module)
        yield f"from {module} import {names}"


def main() -> None:
    BUILT.write_text(built(), encoding="utf-8")
    print(f"{BUILT.relative_to(ROOT)}: {len(built().splitlines())} lines", file=sys.stderr)


if __name__ == "__main__":
    main()
