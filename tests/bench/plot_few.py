#!/usr/bin/env python3
"""How the time of a pull grows with the number of layers and with the number of files.

Usage: tests/bench/plot [--rounds N] [--quick] [SVG]
Makes images of 1 to 200 layers (250 files of 1 KiB each) and of 1,000 to 200,000 files (1 KiB each, in one layer),
serves them by a docker-registry of its own, and pulls each into an empty store in /dev/shm with $LADE, else
build/release/lade, N times (5), by turns. Prints the least time and the least processor time of each, the lines that
fit them best (least squares of relative errors) and how far each point is from them, and writes both as an SVG. Last,
the pull of an image that shares 49 of its 50 layers with one that is there.
"""

import argparse
import io
import os
import random
import sys
import tarfile
import tempfile

from contest import Registry, missing, remove_tree, spend

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "scripts", "lib"))
import make_image  # noqa: E402 (the path is set first)
import push_image  # noqa: E402

LADE = os.environ.get("LADE", os.path.join(SOURCE, "build", "release", "lade"))
LAYERS = [1, 25, 50, 100, 150, 200]
FILES = [1000, 10000, 50000, 100000, 200000]
FILES_OF_A_LAYER = 250


def layer_of(seed, count):
    """A tar of files of 1 KiB that compress to a third, a hundred to a directory."""
    dice = random.Random(seed)
    words = [dice.randbytes(3).hex() for _ in range(400)]
    texts = [" ".join(dice.choices(words, k=147)).encode()[:1024] for _ in range(200)]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for index in range(count):
            if index % 100 == 0:
                directory = tarfile.TarInfo("%s/%06d" % (seed, index // 100))
                directory.type, directory.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(directory)
            entry = tarfile.TarInfo("%s/%06d/%06d.txt" % (seed, index // 100, index))
            data = texts[index % len(texts)][:-6] + b"%06d" % index
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Point:
    """An image, and what its pulls took at least: other work on the machine only adds to it."""

    def __init__(self, number, name):
        self.number, self.name, self.costs = number, name, []

    @property
    def seconds(self):
        return min(cost.seconds for cost in self.costs)

    @property
    def processor(self):
        return min(cost.processor for cost in self.costs)


def push(registry, scratch, repository, tag, tars):
    layout = os.path.join(scratch, "layout")
    make_image.assemble(layout, tars)
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as index:
        top = push_image.json.load(index)["manifests"][0]
    access = push_image.Registry("http://" + registry.address, repository, None, None, None)
    push_image.Pusher(layout, access).push(top, tag)
    remove_tree(layout)
    return "%s/%s:%s" % (registry.address, repository, tag)


def pull(root, name):
    return spend([LADE, "--root", root, "pull", "-q", "--tls-verify=false", name])


def measure(points, scratch, rounds):
    for number in range(1, rounds + 1):
        for point in points[number % len(points):] + points[:number % len(points)]:
            cost = pull(os.path.join(scratch, "root"), point.name)
            remove_tree(os.path.join(scratch, "root"))
            if number > 0:
                point.costs.append(cost)


def fit(pairs):
    """(a, b) of a + b * number, so that the squares of the errors relative to the times are the least."""
    weights = [1 / time ** 2 for _, time in pairs]
    total = sum(weights)
    x = sum(w * number for w, (number, _) in zip(weights, pairs)) / total
    y = sum(w * time for w, (_, time) in zip(weights, pairs)) / total
    above = sum(w * (number - x) * (time - y) for w, (number, time) in zip(weights, pairs))
    below = sum(w * (number - x) ** 2 for w, (number, _) in zip(weights, pairs))
    return y - above / below * x, above / below


def series_of(points):
    return [("time", "#247", [(point.number, point.seconds) for point in points]),
            ("processor time", "#c63", [(point.number, point.processor) for point in points])]


def report(title, scale, unit, points):
    for name, _, pairs in series_of(points):
        start, slope = fit(pairs)
        print("%s, %s: %.1f ms + %.2f ms for %s" % (title, name, start * 1e3, slope * 1e3 * scale, unit))
        for number, seconds in pairs:
            print("  %7d  %7.3f s  %+5.1f %% of the line" % (number, seconds, (seconds / (start + slope * number) - 1) * 100))
    sys.stdout.flush()


def panel(left, title, axis, points):
    """A diagram of 320 by 240 with each series and its line."""
    most = max(point.number for point in points)
    longest = max(max(point.seconds, point.processor) for point in points) * 1.05

    def at(number, seconds):
        return left + 60 + number / most * 320, 290 - seconds / longest * 240

    out = ['<text x="%d" y="24" font-weight="bold">%s</text>' % (left + 60, title)]
    out.append('<path d="M%d 50V290H%d" fill="none" stroke="#888"/>' % (left + 60, left + 385))
    for part in range(5):
        x, _ = at(most * part / 4, 0)
        _, y = at(0, longest * part / 4)
        out.append('<text x="%.0f" y="308" text-anchor="middle">%s</text>' % (x, format(int(most * part / 4), ",")))
        out.append('<text x="%d" y="%.0f" text-anchor="end">%.2f</text>' % (left + 54, y + 4, longest * part / 4))
    out.append('<text x="%d" y="328" text-anchor="middle">%s</text>' % (left + 220, axis))
    out.append('<text x="%d" y="44" text-anchor="end">s</text>' % (left + 54))
    for row, (name, colour, pairs) in enumerate(series_of(points)):
        start, slope = fit(pairs)
        (x1, y1), (x2, y2) = at(0, start), at(most, start + slope * most)
        out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="0.7"/>' % (x1, y1, x2, y2, colour))
        out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (at(number, seconds) + (colour,)) for number, seconds in pairs]
        out.append('<circle cx="%d" cy="%d" r="3" fill="%s"/><text x="%d" y="%d">%s</text>' % (
            left + 76, 62 + 16 * row, colour, left + 86, 66 + 16 * row, name))
    return out


def write_svg(path, layers, files):
    body = panel(0, "Pull, by number of layers", "layers of 250 files", layers)
    body += panel(410, "Pull, by number of files", "files of 1 KiB, in one layer", files)
    with open(path, "w", encoding="utf-8") as out:
        out.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 340" font-family="sans-serif" font-size="11">\n'
                  '<rect width="820" height="340" fill="#fff"/>\n%s\n</svg>\n' % "\n".join(body))


def second_image(registry, scratch, rounds):
    tars = [layer_of("shared%d" % number, 1000) for number in range(51)]
    first = push(registry, scratch, "first", "1", tars[:50])
    second = push(registry, scratch, "second", "1", tars[:49] + tars[50:])
    times = ([], [])
    for _ in range(rounds):
        for seconds, name in zip(times, (first, second)):
            seconds.append(pull(os.path.join(scratch, "root"), name).seconds)
        remove_tree(os.path.join(scratch, "root"))
    whole, rest = (min(seconds) for seconds in times)
    print("an image of 50 layers of 1,000 files: %.3f s; a second one that shares 49 of them: %.3f s, 1/%.0f" %
          (whole, rest, whole / rest))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svg", nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the layers and files")
    arguments = parser.parse_args()
    if missing(["docker-registry"]):
        sys.exit("plot: docker-registry is not installed")
    part = 10 if arguments.quick else 1
    scratch = tempfile.mkdtemp(prefix="lade-plot-", dir="/dev/shm")
    registry = Registry(os.path.join(scratch, "registry"))
    try:
        tars = [layer_of("l%d" % number, FILES_OF_A_LAYER) for number in range(max(LAYERS) // part)]
        layers = [Point(number, push(registry, scratch, "layers", str(number), tars[:number]))
                  for number in sorted({max(1, number // part) for number in LAYERS})]
        del tars
        files = [Point(number, push(registry, scratch, "files", str(number), [layer_of("f", number)]))
                 for number in (number // part for number in FILES)]
        measure(layers + files, scratch, arguments.rounds)
        report("layers", 1, "each layer of %d files" % FILES_OF_A_LAYER, layers)
        report("files", 1000, "1,000 files", files)
        pass
        if arguments.svg:
            write_svg(arguments.svg, layers, files)
    finally:
        registry.stop()
        remove_tree(scratch)


if __name__ == "__main__":
    main()
