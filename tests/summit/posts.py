"""A post that is right: a title, sections, code that prints what it shows, an image, and two sources."""

from __future__ import annotations

from pathlib import Path

PROSE = "Attention reads every position and weighs it by likeness, which is why it needs no recurrence at all. " * 14

POST = """---
title: kept out of sight
---

# Why attention needs a scale

{prose} The idea is from [a paper]({paper}), and [others]({other}) explain it too; see [the end](#what-is-left).

## The likeness of two vectors

{prose}

```python
import helper

def likeness(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))

print(likeness([1, 2], helper.TWO))
```

```output
5
```

{prose}

## It grows with the dimension

```python
import time
print("measured in", time.perf_counter(), "seconds")
for dimension in (1, 4):
    print(dimension, likeness([1] * dimension, [1] * dimension))
```

```output
measured in ... seconds
1 1
4 4
```

```pycon
>>> likeness([2], [3])
6
>>> open("data.txt").read().split()
['a', 'b']
```

![The spread of a dot product grows with its length](figure.svg)

## What is left

{prose}

```bash
pip install nothing
```

```python no-run
train_for_a_week()
```

{prose}
"""


def write_post(folder: Path, service: str, text: str = POST, *, name: str = "post.md") -> Path:
    """Lay the post out with what lies beside it; its sources stand at the service."""
    folder.mkdir(parents=True, exist_ok=True)
    filled = (
        text.replace("{prose}", PROSE).replace("{paper}", f"{service}/paper").replace("{other}", f"{service}/other")
    )
    (folder / name).write_text(filled, encoding="utf-8")
    (folder / "helper.py").write_text("TWO = [1, 2]\n", encoding="utf-8")
    (folder / "data.txt").write_text("a b\n", encoding="utf-8")
    (folder / "figure.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    return folder / name
