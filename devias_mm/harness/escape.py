"""Text that comes from configs and lists, made harmless in what it is written into.

A label that holds a command must not run in the compiler or browser of whoever opens a table.
"""
import html as _html
import re

_LATEX = {
    '\\': r'\textbackslash{}', '{': r'\{', '}': r'\}', '$': r'\$', '&': r'\&', '#': r'\#',
    '_': r'\_', '%': r'\%', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}',
    '<': r'\textless{}', '>': r'\textgreater{}', '|': r'\textbar{}', '"': r'\textquotedbl{}',
    '±': r'$\pm$', '†': r'$^\dagger$',
}
# an underscore inside a word means nothing in Markdown
_MARKDOWN = re.compile(r'[\\`*\[\]|]|(?<!\w)_|_(?!\w)')


def latex(text: str) -> str:
    """Return a text that LaTeX prints as it is.

    Example::

        >>> latex('50 % of $x_1$')
        '50 \\\\% of \\\\$x\\\\_1\\\\$'
    """
    return ''.join(_LATEX.get(character, character) for character in one_line(text))


def markdown(text: str) -> str:
    """Return a text that Markdown shows as it is, also in a cell of a table.

    Example::

        >>> markdown('a|b <i>')
        'a\\\\|b &lt;i>'
    """
    text = _MARKDOWN.sub(r'\\\g<0>', one_line(text))
    return text.replace('&', '&amp;').replace('<', '&lt;')


def html(text: str) -> str:
    """Return a text that a browser shows as it is, also in an attribute."""
    return _html.escape(text, quote=True)


def plot(text: str) -> str:
    """Return a text that matplotlib draws as it is, not as a formula."""
    return text.replace('$', r'\$')


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, which end a comment."""
    return ''.join(character if character.isprintable() else ' ' for character in text)
