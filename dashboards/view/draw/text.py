"""Words of the board itself."""

from collections.abc import Mapping
from typing import Any

from dashboards.view.draw.drawing import Drawing, Look
from dashboards.view.frames import PanelData


def draw(panel: Mapping[str, Any], _data: PanelData, look: Look) -> Drawing:
    """The panel's Markdown; HTML is shown as Markdown too, so that no board runs scripts."""
    content = look.tr((panel.get("options") or {}).get("content") or "")
    return Drawing(kind="text", props={"content": content}, summary=content)
