"""One principal over the inventory: which actions it may do on which atoms, all at once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from assaymark.assess.aws import actions
from assaymark.assess.aws.answers import Reach
from assaymark.assess.aws.compiled import NOTHING, Span
from assaymark.assess.aws.conditions import evaluate_condition, variable
from assaymark.assess.aws.evaluate import resource_state
from assaymark.assess.aws.inventory import indices, name_of
from assaymark.assess.aws.organisation import allows
from assaymark.assess.aws.patterns import FRESH, substitute
from assaymark.assess.aws.principals import Named, named
from assaymark.assess.aws.request import Context, Request, is_own
from assaymark.assess.aws.rows import SIGNED, Row, directly_named, granted_span, layers, treats_alike
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.aws.applies import Lookup
    from assaymark.assess.aws.compiled import Compiled, Compiler
    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.inventory import Atom, Inventory
    from assaymark.assess.aws.routes import Way
    from assaymark.assess.estate.aws import PolicyDocument


class Reckoning:
    """What a principal may do. Build one for each principal."""

    def __init__(
        self,
        lookup: Lookup,
        inventory: Inventory,
        compiler: Compiler,
        principal_arn: str,
        now: datetime,
        context: Mapping[str, Value],
        way: Way | None = None,
    ) -> None:
        self._given = {**context, **(way.context if way else {})}
        self._asked = way.mask if way else actions.everything()
        self._lookup = lookup
        self._inventory = inventory
        self._compiler = compiler
        self._now = now
        self.principal = lookup.principal(principal_arn)
        self._applies = replace(lookup.applies(self.principal, "", "*"), endpoint=way.policy if way else None)
        self._context = Context(self._request("", "*", "", None))
        self._named: dict[int, Named] = {}
        self._all = Span(actions.everything(), actions.everything())
        self._limited = {layer for layer, *_ in layers(self._applies, self.principal, lookup, inventory)}
        self._rows = [row for row in self._read() if row.condition is not State.NO]

    # What applies, compiled

    def _request(self, action: str, arn: str, owner: str, tags: dict[str, str] | None) -> Request:
        return Request(self.principal, action, arn, self._now, self._given, owner, tags)

    def _read(self) -> Iterator[Row]:
        for layer, owner, documents in layers(self._applies, self.principal, self._lookup, self._inventory):
            for document, sure in documents:
                for compiled in self._compiler.document(document):
                    yield self._row(layer, id(document), owner, compiled, sure=sure)

    def _row(self, layer: str, document: int, owner: str, compiled: Compiled, *, sure: bool) -> Row:
        condition: State | None = State.YES
        if compiled.statement.condition:
            condition = None
            if compiled.steady:
                condition = evaluate_condition(compiled.statement.condition, compiled.version, self._context)[0]
        certain = perhaps = 0
        if condition is not State.NO:
            certain, perhaps = self._atoms(compiled)
        return Row(layer, document, owner, compiled, condition, certain, perhaps, sure)

    def _atoms(self, compiled: Compiled) -> tuple[int, int]:
        """The atoms that a statement means for certain, and those that it may mean."""
        everything = self._inventory.everything
        if compiled.wild:
            return 0, everything
        if not compiled.patterns:
            return 0, 0
        certain = perhaps = 0
        for raw in compiled.patterns:
            pattern = self._pattern(raw, compiled)
            if pattern is not None:
                yes, maybe = self._inventory.matching(pattern)
                certain, perhaps = certain | yes, perhaps | maybe
        perhaps &= ~certain
        return (everything & ~(certain | perhaps), perhaps) if compiled.excluded else (certain, perhaps)

    def _pattern(self, raw: str, compiled: Compiled) -> str | None:
        if not compiled.variable:
            return pattern_of(raw)
        return substitute(raw, compiled.version, lambda name: variable(self._context(name)))

    # All atoms

    def all(self, within: int) -> Iterator[tuple[list[Atom], Span]]:
        """Atoms in ``within`` that are treated alike, with what may be done; not what unread policies may allow."""
        for mask, span in self.masks(within):
            yield self._inventory.of(mask), span
        for bucket in sorted(self.special):
            for atom in self.special[bucket]:
                span = self._single(atom, None, unread=False)
                if span.maybe:
                    yield [atom], span

    def masks(self, within: int) -> Iterator[tuple[int, Span]]:
        """The same as bits of the inventory, without the objects that statements spell out."""
        allowed = self._allowed_atoms()
        single = self._inventory.alone
        for row in self._rows:
            single |= row.perhaps
        exact, anybody = self._inventory.named
        named_here = exact.get(name_of(self.principal.arn), 0) | anybody
        if self.principal.kind not in SIGNED:
            allowed = 0
        for index in indices((allowed | named_here) & single & within):
            span = self._single(self._inventory.atoms[index], self._states(1 << index), unread=False)
            if span.maybe:
                yield 1 << index, span
        yield from self._groups((allowed | named_here) & ~single & within, named_here)

    def uniform(self, mask: int) -> bool:
        """Whether the statements treat all atoms of a mask alike."""
        return treats_alike(self._rows, self._inventory, mask)

    def _allowed_atoms(self) -> int:
        if self.principal.kind == "root" or self._applies.trusted_account:
            return self._inventory.everything
        found = 0
        for row in self._rows:
            if row.layer == "identity" and not row.compiled.deny:
                found |= row.certain | row.perhaps
        return found

    def _groups(self, atoms: int, named_here: int) -> Iterator[tuple[int, Span]]:
        """Atoms by the statements that mean them and by their kind; one of them is calculated."""
        groups: list[tuple[int, list[Row]]] = [(atoms, [])] if atoms else []
        for row in self._rows:
            split: list[tuple[int, list[Row]]] = []
            for mask, rows in groups:
                inside = mask & row.certain
                if inside:
                    split.append((inside, [*rows, row]))
                if inside != mask:
                    split.append((mask & ~row.certain, rows))
            groups = split
        for mask, rows in groups:
            states: list[tuple[Row, State]] = [(row, State.YES) for row in rows]
            possible = self._possible(rows)
            for kind, members in self._inventory.kinds.items():
                inside = mask & members
                if inside and (kind.actions & possible or inside & named_here):
                    first = self._inventory.atoms[(inside & -inside).bit_length() - 1]
                    span = self._single(first, states, unread=False)
                    if span.maybe:
                        yield inside, span

    def _possible(self, rows: list[Row]) -> int:
        """The actions that the identity's policies may allow."""
        if self.principal.kind == "root" or self._applies.trusted_account:
            return self._all.maybe
        found = 0
        for row in rows:
            if row.layer == "identity" and not row.compiled.deny:
                found |= row.compiled.actions.maybe
        return found

    @cached_property
    def special(self) -> dict[str, list[Atom]]:
        """Objects of buckets that some statement spells out, wholly or in parts, and that allows something."""
        wanted: dict[str, set[str]] = {}
        for row in self._rows:
            if row.layer != "identity" or row.compiled.deny or row.compiled.excluded:
                continue
            for raw in row.compiled.patterns:
                pattern = self._pattern(raw, row.compiled)
                for bucket, key in self._inventory.keys_of(pattern.replace(HOLE, "*")) if pattern else ():
                    wanted.setdefault(bucket, set()).add(key)
        for bucket, document in self._inventory.bucket_policies:
            for compiled in self._compiler.document(document):
                if compiled.deny or compiled.excluded:
                    continue
                for raw in compiled.patterns:
                    pattern = self._pattern(raw, compiled)
                    for one, key in self._inventory.keys_of(pattern.replace(HOLE, "*")) if pattern else ():
                        if one == bucket:
                            wanted.setdefault(bucket, set()).add(key)
        return {
            bucket: [self._inventory.object_atom(bucket, key) for key in sorted(keys)]
            for bucket, keys in sorted(wanted.items())
        }

    def unread(self) -> Iterator[Reach]:
        """What attached policies may allow whose text the input does not hold: a row for each class, on ``*``."""
        if not self._applies.opaque or self._applies.trusted_account:
            return
        identity = self._lookup.identity(self.principal.arn)
        because = (identity.because,) if identity else ()
        decides = tuple(f"{name}, whose text is not in the input, allows it" for name in self._applies.opaque)
        limits = [row for row in self._rows if row.layer == "boundary" and not row.compiled.deny]
        possible = self._all.maybe
        if self._applies.boundary is not None:
            possible = 0
            for row in limits:
                possible |= row.compiled.actions.maybe
        for action_class, mask in actions.class_bits().items():
            bits = possible & mask
            if bits:
                action = actions.name_at((bits & -bits).bit_length() - 1)
                yield Reach(action_class, "*", State.UNKNOWN, because, decides, action)

    # One atom

    def on(self, arn: str) -> Iterator[Span]:
        """The same of an ARN, which need not be one of the estate."""
        for atom in self._inventory.atoms_of(arn):
            yield self._single(atom, None, unread=True)

    def objects(self, bucket: str) -> Iterator[Span]:
        """What may be done on some object of a bucket, for each sort of object that policies tell apart."""
        yield self._single(self._inventory.object_atom(bucket, FRESH), None, unread=True)
        for atom in self.special.get(bucket, ()):
            yield self._single(atom, None, unread=True)

    def _states(self, bit: int) -> list[tuple[Row, State]]:
        """How the rows mean an atom of the inventory, but for those that look at the request."""
        found: list[tuple[Row, State]] = []
        for row in self._rows:
            if row.compiled.wild:
                found.append((row, State.UNKNOWN))
            elif row.certain & bit:
                found.append((row, State.YES))
            elif row.perhaps & bit:
                found.append((row, State.UNKNOWN))
        return found

    def _matched(self, atom: Atom) -> list[tuple[Row, State]]:
        found: list[tuple[Row, State]] = []
        for row in self._rows:
            state = State.UNKNOWN if row.compiled.wild else self._means(row.compiled, atom, implied=False)
            if state is not State.NO:
                found.append((row, state))
        return found

    def _means(self, compiled: Compiled, atom: Atom, *, implied: bool) -> State:
        return resource_state(compiled.statement, compiled.version, atom.arn, self._context, implied=implied)

    def _single(self, atom: Atom, states: list[tuple[Row, State]] | None, *, unread: bool) -> Span:
        """What may be done on an atom: the formula of ``evaluate``, for all actions at once."""
        states = self._matched(atom) if states is None else states
        spans: dict[tuple[str, bool], Span] = {}
        by_document: dict[tuple[str, int], Span] = {}
        for row, state in states:
            if row.layer == "rcp" and row.owner != atom.kind.owner:
                continue
            span = self._span(row.compiled, row.condition, atom, state, implied=False)
            if row.layer == "rcp":
                span = Span(span.yes & actions.under_rcp(), span.maybe & actions.under_rcp())
            if row.compiled.deny and not row.sure:
                span = Span(0, span.maybe)
            key = (row.layer, row.compiled.deny)
            spans[key] = spans.get(key, NOTHING).either(span)
            if not row.compiled.deny:
                one = (row.layer, row.document)
                by_document[one] = by_document.get(one, NOTHING).either(span)
        denied = NOTHING
        for (_, deny), span in spans.items():
            denied = denied.either(span) if deny else denied
        ways = self._ways(atom, deny=False)
        for span in self._ways(atom, deny=True).values() if atom.policy else ():
            denied = denied.either(span)
        own, limit = self._own(spans, unread=unread)
        allowed = self._combined(atom, own, limit, ways)
        for layer, account in (("scp", self.principal.account), ("rcp", atom.kind.owner)):
            allowed = allowed.both(self._controls(layer, by_document, account))
        if self._applies.endpoint is not None:
            allowed = allowed.both(spans.get(("endpoint", False), NOTHING))
        within = atom.kind.actions & self._asked
        return Span(allowed.yes & ~denied.maybe & within, allowed.maybe & ~denied.yes & within)

    def _span(self, compiled: Compiled, condition: State | None, atom: Atom, state: State, *, implied: bool) -> Span:
        """The actions that a statement means on an atom that it means in that state."""
        within = atom.kind.actions
        span = Span(compiled.actions.yes & within, compiled.actions.maybe & within)
        if not span.maybe:
            return NOTHING
        if not compiled.wild:
            span = span.when(state)
        if condition is not None and not compiled.wild:
            return span.when(condition)
        if not compiled.per_action and not compiled.wild:
            return span.when(self._condition(compiled, atom, ""))
        yes = maybe = 0
        for index in indices(span.maybe):
            bit = 1 << index
            name = actions.name_at(index)
            one = Span(span.yes & bit, bit).when(self._condition(compiled, atom, name))
            if compiled.wild:
                context = self._request_context(atom, name)
                one = one.when(
                    resource_state(compiled.statement, compiled.version, atom.arn, context, implied=implied)
                )
            yes, maybe = yes | one.yes, maybe | one.maybe
        return Span(yes, maybe)

    def _request_context(self, atom: Atom, action: str) -> Context:
        tags = self._lookup.tags(atom.source)
        return Context(self._request(action, atom.arn, atom.kind.owner, tags))

    def _condition(self, compiled: Compiled, atom: Atom, action: str) -> State:
        context = self._request_context(atom, action)
        return evaluate_condition(compiled.statement.condition, compiled.version, context)[0]

    def _ways(self, atom: Atom, *, deny: bool) -> dict[str, Span]:
        """What the atom's own policy gives or denies, by how it names the principal."""
        ways = dict.fromkeys(("direct", "session", "everyone", "account"), NOTHING)
        for compiled in self._compiler.document(atom.policy) if atom.policy else ():
            if compiled.deny != deny:
                continue
            how = self._named.get(id(compiled))
            if how is None:
                how = self._named[id(compiled)] = named(compiled.statement, self.principal)
            if how.state is State.NO:
                continue
            state = State.YES if compiled.wild else self._means(compiled, atom, implied=True)
            condition = None if compiled.statement.condition else State.YES
            span = self._span(compiled, condition, atom, state, implied=True)
            for way in ways:
                ways[way] = ways[way].either(span.when(getattr(how, way)))
        return ways

    def _own(self, spans: dict[tuple[str, bool], Span], *, unread: bool) -> tuple[Span, Span]:
        if self.principal.kind == "root" or self._applies.trusted_account:
            return self._all, self._all
        own = spans.get(("identity", False), NOTHING)
        if unread and self._applies.opaque:
            own = own.either(Span(0, self._all.maybe))
        limit = self._all if self._applies.boundary is None else spans.get(("boundary", False), NOTHING)
        return own, limit

    def _controls(self, layer: str, by_document: dict[tuple[str, int], Span], account: str) -> Span:
        """What the organisation lets through of those under it, as ``evaluate._levels``."""
        if layer not in self._limited:
            return self._all
        controls = self._lookup.controls(layer, account)

        def of(document: PolicyDocument) -> Span:
            return by_document.get((layer, id(document)), NOTHING)

        found, somewhere = self._all, NOTHING
        for level in controls.levels if controls.known else ():
            found = found.both(reduce(Span.either, map(of, level), NOTHING))
        for document in () if controls.known else controls.allowing():
            found, somewhere = found.both(of(document)), somewhere.either(of(document))
        if not controls.known and controls.allowing():
            found = Span(found.yes, somewhere.maybe)
        for document, _ in controls.perhaps:
            if allows(document):
                found = Span(found.yes & of(document).yes, found.maybe | of(document).maybe)
        beyond = self._all.maybe & ~actions.under_rcp() if layer == "rcp" else 0
        return Span(found.yes | beyond, found.maybe | beyond)

    def _combined(self, atom: Atom, own: Span, limit: Span, ways: dict[str, Span]) -> Span:
        """What identity and resource allow together, as ``evaluate._allowed``."""
        whole = NOTHING
        for span in ways.values():
            whole = whole.either(span)
        granted = granted_span(self._lookup, self.principal, atom)
        if self.principal.kind not in SIGNED:
            return granted.either(whole)
        crossing = actions.expand("sts:AssumeRoleWith*")
        path = own.both(limit)
        same = is_own(self.principal, atom.kind.owner, atom.arn)
        across = granted.either(path.both(whole))
        within = across
        if same is not False:
            directly = ways["session"].either(directly_named(self.principal.kind, self._all, ways, limit))
            on_key = ":kms:" in atom.arn and ":key/" in atom.arn
            on_role = ":role/" in atom.arn and bool(atom.kind.actions & actions.bit("sts:AssumeRole"))
            if on_key and atom.policy is None:
                whole = self._all
            through = path.both(whole) if on_key or on_role else path
            within = granted.either(directly).either(through)
        if same is None:
            found = Span(within.yes & across.yes, within.maybe | across.maybe)
        else:
            found = within if same else across
        return Span(found.yes & ~crossing, found.maybe & ~crossing)
