"""Tile paths and layouts as C2SP tlog-tiles states them; nodes read from tiles of a real tree."""

import hashlib

import pytest

from assaymark.core.errors import InputError
from assaymark.tlog.frontier import Frontier
from assaymark.tlog.merkle import consistency_proof, inclusion_proof, root_at, tree_root, verify_inclusion
from assaymark.tlog.tiles import (
    ENTRIES,
    Tile,
    TileNodes,
    format_bundle,
    parse_bundle,
    parse_hash_tile,
    parse_tile_path,
    tiles_at,
    width_at,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 1234, 5), "tile/0/x001/234.p/5"),
        (Tile(ENTRIES, 0, 255), "tile/entries/000.p/255"),
        (Tile(63, 999), "tile/63/999"),
    ],
)
def test_paths(tile, path):
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entry/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/05",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000 ",
        "/tile/0/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 8 + "999",
        "tile/0/" + "x999/" * 80 + "999",
        "tile/0/../checkpoint",
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path):
    with pytest.raises(InputError) as caught:
        parse_tile_path(path)
    assert caught.value.code == "tile-path"


def test_the_tree_of_70000_entries_has_the_tiles_that_the_specification_names():
    tiles = list(tiles_at(70_000))
    level0 = [tile for tile in tiles if tile.level == 0]
    assert sum(tile.width == 256 for tile in level0) == 273
    assert [tile.width for tile in level0 if tile.width < 256] == [112]
    assert [tile.width for tile in tiles if tile.level == 1] == [256, 17]
    assert [tile.width for tile in tiles if tile.level == 2] == [1]
    assert len([tile for tile in tiles if tile.level == ENTRIES]) == 274
    assert not list(tiles_at(0))


def test_the_tree_of_256_entries_has_a_full_tile_and_one_of_width_1_above():
    assert [tile for tile in tiles_at(256) if tile.level >= 0] == [Tile(0, 0), Tile(1, 0, 1)]
    assert width_at(0, 1, 256) == 0


def test_nodes_come_from_tiles_and_the_edge_grows_to_the_same_tiles():
    size = 256 * 256 + 700
    leaves = [hashlib.sha256(b"\x00%d" % i).digest() for i in range(size)]
    frontier, stored = Frontier(), {}
    for leaf in leaves:
        stored.update(frontier.add(leaf))
    stored.update(frontier.partials())
    assert set(stored) == {tile for tile in tiles_at(size) if tile.level >= 0}
    assert frontier.root() == tree_root(leaves)
    fetched = []

    def fetch(tile):
        fetched.append(tile)
        return stored[tile]

    nodes = TileNodes(size, fetch)
    for old in (1, 255, 256, 257, 65_535, 65_536, 65_537, size):
        assert root_at(old, nodes) == tree_root(leaves[:old])
    proof = inclusion_proof(12_345, size, nodes)
    verify_inclusion(leaves[12_345], 12_345, size, proof, frontier.root())
    consistency_proof(300, size, nodes)
    assert len(fetched) == len(set(fetched)) < 20
    again = Frontier.read(size, lambda tile: stored[tile])
    assert again.root() == frontier.root()
    assert again.add(leaves[0]) == frontier.add(leaves[0])
    assert again.root() == frontier.root()


def test_bundles_are_length_prefixed_entries():
    entries = (b"", b"one", b"x" * 65_535)
    data = format_bundle(entries)
    assert data[:2] == b"\x00\x00"
    assert data[2:7] == b"\x00\x03one"
    assert parse_bundle(data, 3) == entries


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 1),
        (b"\x00", 1),
        (b"\x00\x05abc", 1),
        (b"\x00\x01a", 2),
        (b"\x00\x01a\x00\x01b", 1),
        (b"\x00\x01a\x00", 1),
    ],
)
def test_a_bundle_that_does_not_hold_what_it_should_is_refused(data, width):
    with pytest.raises(InputError) as caught:
        parse_bundle(data, width)
    assert caught.value.code == "bundle-form"


def test_an_entry_above_the_limit_is_not_written():
    with pytest.raises(InputError):
        format_bundle([b"x" * 65_536])


def test_a_hash_tile_has_exactly_its_width():
    assert parse_hash_tile(bytes(64), 2) == (bytes(32), bytes(32))
    for length in (0, 63, 65, 96):
        with pytest.raises(InputError):
            parse_hash_tile(bytes(length), 2)
