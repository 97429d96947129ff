"""Names from configs and lists cannot become commands of what shows them."""
import pytest

from devias_mm.harness import escape

NASTY = '\\input{/etc/passwd} $x_1^2$ #1 50% ~&\n\\immediate\\write18{rm}'


def test_latex_has_no_command_left():
    text = escape.latex(NASTY)
    assert text == (
        r'\textbackslash{}input\{/etc/passwd\} \$x\_1\textasciicircum{}2\$ \#1 50\% '
        r'\textasciitilde{}\& \textbackslash{}immediate\textbackslash{}write18\{rm\}')
    assert escape.latex('10 ± 2') == r'10 $\pm$ 2'


@pytest.mark.parametrize('text, shown', [
    ('a|b', r'a\|b'), ('`rm`', r'\`rm\`'), ('<script>', '&lt;script>'), ('a & b', 'a &amp; b'),
    ('[a](javascript:x)', r'\[a\](javascript:x)'), ('*a*', r'\*a\*'), ('_a_', r'\_a\_'),
    ('tsm_r50', 'tsm_r50'), ('a\nb', 'a b'), ('\\|', '\\\\\\|')])
def test_markdown(text, shown):
    assert escape.markdown(text) == shown


def test_html_and_plots():
    assert escape.html('<b a="1">\'') == '&lt;b a=&quot;1&quot;&gt;&#x27;'
    assert escape.plot('$x$') == r'\$x\$'
    assert escape.one_line('a\n\\b\x00') == 'a \\b '
