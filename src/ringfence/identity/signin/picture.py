"""The picture that an authenticator app photographs, as SVG inside the page: nothing is loaded. Pure."""

_QUIET = 4  # modules of white around it, as ISO/IEC 18004 asks


def picture_of(text: str) -> str:
    """Return an SVG element; its colours are fixed, since cameras read dark on light only."""
    from segno import make

    rows = [bytes(row) for row in make(text, error="m", micro=False).matrix]
    size = len(rows) + 2 * _QUIET
    marks = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return (
        f'<svg class="qr" viewBox="0 0 {size} {size}" width="200" height="200" role="img" shape-rendering="crispEdges" '
        f'aria-label="Picture for an authenticator app"><rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="{marks}" fill="#000"/></svg>'
    )
