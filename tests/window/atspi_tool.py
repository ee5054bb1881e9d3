#!/usr/bin/python3
"""What a screen reader can know and do of one program, as JSON lines. Needs pyatspi, which only Debian's Python has.

    atspi_tool.py PROGRAM tree                   everything in it, in its order
    atspi_tool.py PROGRAM press NAME [ROLE]      does the first action of the first thing of that name
    atspi_tool.py PROGRAM focus NAME [ROLE]      gives it the keyboard
    atspi_tool.py PROGRAM events                 what it tells from now on; the first line says that it listens
"""
import json
import sys
import time

import pyatspi
from gi.repository import GLib

# Deeper trees are rings.
DEEPEST = 60
EVENTS = ["object:announcement", "object:state-changed:focused", "object:property-change:accessible-name",
          "object:property-change:accessible-value", "object:children-changed", "window:activate"]
# A program that has just started takes a moment to appear on the bus.
APPEARS = 20


def application(name):
    """The program of that name."""
    end = time.monotonic() + APPEARS
    while True:
        names = []
        for app in pyatspi.Registry.getDesktop(0):
            # One that has just ended has no name any more.
            known = app is not None and attempt(lambda: app.name)  # noqa: B023 (asked at once)
            if known:
                names.append(known)
                if known == name:
                    return app
        if time.monotonic() > end:
            sys.exit(f"no program is called {name!r} on the accessibility bus; there are {names}")
        time.sleep(0.2)


def walk(node, path=()):
    """The node and all below it, with the way to each. What vanishes meanwhile is left out."""
    yield node, path
    if len(path) < DEEPEST:
        for number in range(attempt(lambda: node.childCount) or 0):
            child = attempt(lambda: node.getChildAtIndex(number))  # noqa: B023 (asked at once)
            if child is not None:
                yield from walk(child, (*path, number))


def attempt(ask):
    """What is asked, None where the node does not have it."""
    try:
        return ask()
    except (NotImplementedError, GLib.Error, AttributeError):
        return None


def describe(node, path):
    text = attempt(node.queryText)
    value = attempt(node.queryValue)
    action = attempt(node.queryAction)
    place = attempt(lambda: node.queryComponent().getExtents(pyatspi.DESKTOP_COORDS))
    return {
        "path": path,
        "role": node.getRoleName(),
        "name": node.name,
        "description": node.description,
        "states": sorted(pyatspi.stateToString(state) for state in node.getState().getStates()),
        "actions": [action.getName(number) for number in range(action.nActions)] if action else [],
        "text": text.getText(0, -1) if text else None,
        "value": value.currentValue if value else None,
        "box": list(place) if place else None,
    }


def found(app, name, role=None):
    for node, _ in walk(app):
        if attempt(lambda: node.name == name and role in (None, node.getRoleName())):  # noqa: B023 (asked at once)
            return node
    return sys.exit(f"nothing{' of role ' + role if role else ''} is called {name!r}")


def listen(app):
    def tell(event):
        if event.host_application != app:
            return
        data = event.any_data
        node = event.source
        say(type=str(event.type), role=node.getRoleName(), name=node.name, detail=event.detail1,
            text=data if isinstance(data, str) else None)

    pyatspi.Registry.registerEventListener(tell, *EVENTS)
    say(type="listening")
    pyatspi.Registry.start()


def say(**row):
    print(json.dumps(row, ensure_ascii=False), flush=True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, command, *rest = sys.argv[1:]
    app = application(program)
    if command == "tree":
        for node, path in walk(app):
            row = attempt(lambda: describe(node, path))  # noqa: B023 (asked at once)
            if row:
                say(**row)
    elif command == "press":
        found(app, *rest).queryAction().doAction(0)
    elif command == "focus":
        found(app, *rest).queryComponent().grabFocus()
    elif command == "events":
        listen(app)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
