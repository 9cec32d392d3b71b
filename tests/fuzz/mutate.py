"""Damage, as disks, mails, editors and hurried people do it; everything is drawn from one `random.Random`."""

import copy
import io
import json
import zipfile

TOKENS = [
    b"nan", b"inf", b"-1", b"0", b"-0.0", b"1", b"2", b"1e308", b"1e400", b"1e-400", b"1000000000", b"1000000000000",
    b"9223372036854775808", b"1" + 30 * b"0", 5000 * b"9", b"0x10", b"1_000", b"1,5", b"0.5.5", b"true", b"null",
    b"[", b"]", b"{", b"}", b"(", b"<", b">", b'"', b"'", b",", b";", b"\t", b"#", b"%", b"=", b"/", b"\\", b"&amp;",
    b"\0", b"\r", b"\n\n", b"\xef\xbb\xbf", b"\xff", b"\x80", "é".encode(), "ω".encode(), "१".encode(), "\u2028".encode(),
    2000 * b"[", 2000 * b"{", 2000 * b"(", 3000 * b"a.", 100 * b"x ",
]  # fmt: skip


def mutated(content, random):
    """The content with a few damages, at least one."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
        content = random.choice(DAMAGES)(content, random)
    return content


def _span(content, random, longest=40):
    begin = random.randint(0, len(content))
    return begin, min(len(content), begin + random.randint(1, longest))


def flip(content, random):
    """One to eight bits."""
    found = bytearray(content)
    for _ in range(random.randint(1, 8) if found else 0):
        found[random.randrange(len(found))] ^= 1 << random.randrange(8)
    return bytes(found)


def overwrite(content, random):
    begin, end = _span(content, random)
    return content[:begin] + random.choice((b"\0", b"\xff", b" ", b"9")) * (end - begin) + content[end:]


def truncate(content, random):
    return content[: random.randint(0, len(content))]


def cut(content, random):
    begin, end = _span(content, random)
    return content[:begin] + content[end:]


def duplicate(content, random):
    begin, end = _span(content, random, 400)
    return content[:end] + content[begin:end] * random.choice((1, 1, 2, 30)) + content[end:]


def insert(content, random):
    at = random.randint(0, len(content))
    return content[:at] + random.choice(TOKENS) + content[at:]


def replace_word(content, random):
    """A word or number gives way to a token, which goes deeper than bytes in the middle of one."""
    words = content.split(b" ") if random.random() < 0.5 else content.split(b"\n")
    mark = b" " if len(words) > 1 and b" ".join(words) == content else b"\n"
    words[random.randrange(len(words))] = random.choice(TOKENS)
    return mark.join(words)


def replace_number(content, random):
    """A run of digits gives way to a token."""
    digits = [k for k, byte in enumerate(content) if 48 <= byte <= 57]
    if not digits:
        return insert(content, random)
    begin = end = random.choice(digits)
    while end < len(content) and 48 <= content[end] <= 57:
        end += 1
    return content[:begin] + random.choice(TOKENS) + content[end:]


def shuffle_lines(content, random):
    """Two lines are swapped, or one is left out or repeated."""
    lines = content.split(b"\n")
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    lines[i], lines[j] = random.choice(((lines[j], lines[i]), (lines[j], lines[j]), (b"", lines[j])))
    return b"\n".join(lines)


def encode(content, random):
    """Other line ends and encodings."""
    text = content.decode("latin-1")
    return random.choice(
        (
            content.replace(b"\n", b"\r\n"),
            b"\xef\xbb\xbf" + content,
            text.encode("utf-16"),
            text.encode("utf-8"),
            b"",
        )
    )


DAMAGES = [flip, overwrite, truncate, cut, duplicate, insert, insert, replace_word, replace_number, replace_number,
           shuffle_lines, encode]  # fmt: skip


def mutated_archive(content, random):
    """A ZIP file damaged as a whole, or inside a member with checksums that are right again."""
    if random.random() < 0.3:
        return mutated(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    k = random.randrange(len(members))
    name, inside = members[k]
    what = random.randrange(8)
    if what == 0:
        del members[k]
    elif what == 1:
        members[k] = (members[random.randrange(len(members))][0], inside)
    elif what == 2:
        members[k] = (name, members[random.randrange(len(members))][1])
    else:
        members[k] = (name, mutated(inside, random))
    return packed(dict(members))


def packed(members):
    """A ZIP file of (name: content), the same bytes at any time of the day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, inside in members.items():
            archive.writestr(zipfile.ZipInfo(name), inside, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def repacked(content):
    """A ZIP file without the time at which it was made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return packed({name: archive.read(name) for name in archive.namelist()})


VALUES = [
    None,
    True,
    0,
    -1,
    1.5,
    2,
    10**12,
    10**30,
    1e300,
    "",
    "x",
    "1/0",
    "nan",
    "1/3",
    3000 * "9",
    [],
    [0],
    {},
    [[1, 2]],
]


def mutated_json(content, random):
    """JSON damaged as a text, or in one of its values."""
    if random.random() < 0.4:
        return mutated(content, random)
    found = json.loads(content)
    for _ in range(random.choice((1, 1, 2))):
        places = list(_places(found))
        if not places:
            break
        inside, key = random.choice(places)
        if random.random() < 0.2:
            del inside[key]
        else:
            other, name = random.choice(places)
            inside[key] = random.choice((random.choice(VALUES), copy.deepcopy(other[name]), [inside[key]]))
    return json.dumps(found).encode()


def _places(found):
    """(list or object, key) of all values, from the outside in."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in pairs:
        yield found, key
        yield from _places(value)
