"""LlamaIndex: the cases of its integrations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("llama_index.core")

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from postil.llama_index import PostilVectorStore


def node(name: str, embedding: list[float], of: str, **metadata: object) -> TextNode:
    related = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=of)}
    return TextNode(
        text=f"text of {name}", id_=name, embedding=embedding, metadata=metadata, relationships=related
    )


NODES = [
    node("a", [1.0, 0.0, 0.0], "one", author="Kim", year=1990, tags=["x", "y"]),
    node("b", [0.0, 1.0, 0.0], "one", author="Lee", year=2000, tags=["y"]),
    node("c", [0.0, 0.0, 1.0], "two", author="Kim", year=2010),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PostilVectorStore]:
    store = PostilVectorStore(path=str(tmp_path / "i.postil"))
    assert store.add(NODES) == ["a", "b", "c"]
    yield store
    store.client.close()


def ids(store: PostilVectorStore, *filters: MetadataFilter, condition: FilterCondition = FilterCondition.AND):
    query = VectorStoreQuery(
        query_embedding=[1.0, 0.1, 0.0],
        similarity_top_k=3,
        filters=MetadataFilters(filters=list(filters), condition=condition),
    )
    return sorted(store.query(query).ids)


def test_the_class_is_a_vector_store(store: PostilVectorStore):
    assert BasePydanticVectorStore.__name__ in [base.__name__ for base in PostilVectorStore.__mro__]
    assert store.stores_text and store.class_name() == "PostilVectorStore"


def test_nodes_come_back_with_texts_metadata_and_scores(store: PostilVectorStore):
    found = store.query(VectorStoreQuery(query_embedding=[1.0, 0.1, 0.0], similarity_top_k=2))
    assert found.ids == ["a", "b"] and found.similarities[0] == pytest.approx(0.995, abs=1e-3)
    assert found.nodes[0].get_content() == "text of a" and found.nodes[0].metadata == NODES[0].metadata
    assert found.nodes[0].ref_doc_id == "one"


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("author", FilterOperator.EQ, "Kim", ["a", "c"]),
        ("author", FilterOperator.NE, "Kim", ["b"]),
        ("year", FilterOperator.GT, 1990, ["b", "c"]),
        ("year", FilterOperator.GTE, 2000, ["b", "c"]),
        ("year", FilterOperator.LT, 2000, ["a"]),
        ("year", FilterOperator.LTE, 2000, ["a", "b"]),
        ("author", FilterOperator.IN, ["Lee", "Kay"], ["b"]),
        ("author", FilterOperator.NIN, ["Lee"], ["a", "c"]),
        ("tags", FilterOperator.CONTAINS, "x", ["a"]),
        ("tags", FilterOperator.ANY, ["x", "y"], ["a", "b"]),
        ("tags", FilterOperator.ALL, ["x", "y"], ["a"]),
        ("tags", FilterOperator.IS_EMPTY, None, ["c"]),
    ],
)
def test_filters_choose_nodes(store, key, operator, value, expected):
    assert ids(store, MetadataFilter(key=key, operator=operator, value=value)) == expected


def test_conditions_join_filters(store: PostilVectorStore):
    kim = MetadataFilter(key="author", value="Kim")
    late = MetadataFilter(key="year", value=1995, operator=FilterOperator.GT)
    assert ids(store, kim, late) == ["c"]
    assert ids(store, kim, late, condition=FilterCondition.OR) == ["a", "b", "c"]
    assert ids(store, kim, condition=FilterCondition.NOT) == ["b"]


def test_nodes_are_read_and_deleted(store: PostilVectorStore):
    kim = MetadataFilters(filters=[MetadataFilter(key="author", value="Kim")])
    assert [one.node_id for one in store.get_nodes(["b", "a"])] == ["b", "a"]
    assert store.get_nodes(["a"])[0].embedding == [1.0, 0.0, 0.0]
    assert sorted(one.node_id for one in store.get_nodes(filters=kim)) == ["a", "c"]
    store.delete("one")
    assert [one.node_id for one in store.get_nodes()] == ["c"]
    store.add(NODES)
    store.delete_nodes(["a", "b"], kim)
    assert [one.node_id for one in store.get_nodes()] == ["b", "c"]
    store.clear()
    assert store.get_nodes() == []


async def test_the_same_is_awaited(store: PostilVectorStore):
    await store.async_add(NODES)
    found = await store.aquery(VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0], similarity_top_k=1))
    assert found.ids == ["a"]
    await store.adelete("two")
    assert len(await store.aget_nodes()) == 2
