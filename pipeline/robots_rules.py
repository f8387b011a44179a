"""The text of a robots.txt and our product token in, its rules for us out.

Protego keeps every rule once for each agent that is named above it: 500 KB of agents, then rules, would be gigabytes.
So the groups of other agents are all given one name before it reads them.
"""

from __future__ import annotations

import re

from protego import Protego

AGENT = re.compile(r"\s*user[- ]?agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)
ANOTHER = "-"  # no product token


def read_rules(text: str, agent: str) -> Protego:
    """Read the rules; those of groups that can apply to `agent` are the same as in the text itself."""
    return Protego.parse("\n".join(_for(agent.lower(), line) for line in text.splitlines()))


def _for(agent: str, line: str) -> str:
    found = AGENT.match(line)
    if found is None:
        return line
    named = found.group(1).strip().lower()
    bare = named.replace("*", "")  # as Protego does; but of one name with asterisks in it, it would keep both
    return "user-agent: " + ("*" if named == "*" else bare if bare and bare in agent else ANOTHER)
