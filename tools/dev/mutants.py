"""Make the mutants of a Python source: small changes that a good test notices."""
import ast
import copy
from typing import Iterator, List, NamedTuple, Tuple

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ), ast.Eq: (ast.NotEq, ), ast.NotEq: (ast.Eq, ), ast.Is: (ast.IsNot, ),
    ast.IsNot: (ast.Is, ), ast.In: (ast.NotIn, ), ast.NotIn: (ast.In, )}
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd}
BOOLEAN = {ast.And: ast.Or, ast.Or: ast.And}
# functions whose first two arguments may change places
SYMMETRIC = ('gcd', 'isclose', 'max', 'maximum', 'min', 'minimum', 'swapaxes', 'transpose', 'zip')


class Mutant(NamedTuple):
    """One change of a source.

    Attributes:
        line: first line of the changed code, from 1.
        last_line: its last line.
        original: the code.
        changed: what replaces it.
        source: the whole changed source.
    """
    line: int
    last_line: int
    original: str
    changed: str
    source: str


def make_mutants(source: str) -> List[Mutant]:
    """Return all mutants of a source, in the order of their lines.

    Annotations, docstrings, strings and messages of exceptions stay as they are.
    """
    mutants = []
    for node in walk(ast.parse(source)):
        for place, changed in changes(node):
            mutants.append(replace(source, place, changed))
    return sorted(set(mutants))


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that a mutant may change."""
    yield node
    # a message is for people; the parts of an f-string have no true position in Python 3.11
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        return
    for name, value in ast.iter_fields(node):
        if name in ('annotation', 'returns'):
            continue
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST):
                yield from walk(child)


def replace(source: str, node: ast.AST, changed: ast.AST) -> Mutant:
    """Return the mutant where ``changed`` takes the place of ``node``; lines keep their number."""
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[:node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[:node.end_lineno - 1])) + node.end_col_offset
    text = source.encode()
    original = text[start:end].decode()
    new = ast.unparse(changed)
    if isinstance(node, ast.expr) and not isinstance(node, (ast.Slice, ast.Constant)):
        # a bare expression might bind to its neighbours, a line break would end it
        new = f'({new}' + '\n' * original.count('\n') + ')'
    else:
        new += '\n' * original.count('\n')
    mutated = text[:start] + new.encode() + text[end:]
    return Mutant(node.lineno, node.end_lineno, ' '.join(original.split()), new.strip(),
                  mutated.decode())


def changes(node: ast.AST) -> Iterator[Tuple[ast.AST, ast.AST]]:
    """Yield what to replace, and with what, in one node."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)
    for kind in (changed_operators, changed_constants, changed_calls, changed_statements,
                 changed_bounds):
        for changed in kind(node):
            yield node, changed


def changed_operators(node: ast.AST) -> Iterator[ast.AST]:
    """Swap comparisons, arithmetic and logic; drop a sign."""
    if isinstance(node, ast.Compare):
        for other in COMPARISONS[type(node.ops[0])]:
            yield copied(node, ops=[other(), *node.ops[1:]])
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in ARITHMETIC:
        yield copied(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield copied(node, op=BOOLEAN[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand


def changed_constants(node: ast.AST) -> Iterator[ast.AST]:
    """Change numbers by one, and truth values."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def changed_calls(node: ast.AST) -> Iterator[ast.AST]:
    """Swap the first two arguments."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return
    name = getattr(node.func, 'attr', getattr(node.func, 'id', None))
    first, second, *rest = node.args
    starred = isinstance(first, ast.Starred) or isinstance(second, ast.Starred)
    same = ast.dump(first) == ast.dump(second)
    if name not in SYMMETRIC and not starred and not same:
        yield copied(node, args=[second, first, *rest])


def changed_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Remove a statement, or the value that a function returns."""
    if is_removable(node):
        yield ast.Pass()
    if isinstance(node, ast.Return) and node.value is not None:
        nothing = ast.Constant(None)
        if ast.dump(node.value) != ast.dump(nothing):
            yield ast.Return(nothing)


def is_removable(node: ast.AST) -> bool:
    """Whether the code without a statement still has all its names."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
    return isinstance(node, (ast.AugAssign, ast.Break, ast.Continue, ast.Raise))


def changed_bounds(node: ast.AST) -> Iterator[ast.AST]:
    """Move the bounds of a slice by one, and leave them out."""
    if not isinstance(node, ast.Slice):
        return
    if node.lower is not None:
        yield copied(node, lower=None)
    if node.upper is not None:
        yield copied(node, upper=None)
        if not isinstance(node.upper, ast.Constant):
            yield copied(node, upper=ast.BinOp(node.upper, ast.Sub(), ast.Constant(1)))


def copied(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new
