"""Drives a running server with the unmodified openai package; argument: its address."""

import sys

import openai

QUESTION = "How many days of parental leave?"
client = openai.OpenAI(base_url=f"{sys.argv[1].rstrip('/')}/v1", api_key="unused")
model = client.models.list().data[0].id

# The package asks for base64 unless it is told not to; both forms have to agree.
packed = client.embeddings.create(model=model, input=["leave", "trains"])
plain = client.embeddings.create(model=model, input=["leave", "trains"], encoding_format="float")
assert len(packed.data) == 2
for one, other in zip(packed.data, plain.data, strict=True):
    assert max(abs(a - b) for a, b in zip(one.embedding, other.embedding, strict=True)) < 1e-6

messages = [{"role": "user", "content": QUESTION}]
message = client.chat.completions.create(model=model, messages=messages).choices[0].message
assert "forty" in message.content, message
cited = message.annotations[0].url_citation
assert message.content[cited.start_index : cited.end_index].strip(), message
streamed = client.chat.completions.create(model=model, messages=messages, stream=True)
text = "".join(part.choices[0].delta.content or "" for part in streamed if part.choices)
assert text == message.content, text

answer = client.responses.create(model=model, input=QUESTION)
assert answer.output_text == message.content, answer
with client.responses.stream(model=model, input=QUESTION) as stream:
    text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    assert text == stream.get_final_response().output_text == answer.output_text

store = client.vector_stores.list().data[0]
file = client.files.create(file=("hats.txt", b"Hats are blue."), purpose="assistants")
attached = client.vector_stores.files.create_and_poll(
    file.id, vector_store_id=store.id, attributes={"kind": "hat"}
)
assert attached.status == "completed", attached
where = {"type": "eq", "key": "kind", "value": "hat"}
found = client.vector_stores.search(store.id, query="hats", filters=where).data
assert len(found) == 1 and "Hats are blue." in found[0].content[0].text, found
client.vector_stores.files.delete(attached.id, vector_store_id=store.id)
assert not client.vector_stores.search(store.id, query="hats", filters=where).data

try:
    client.chat.completions.create(model=model, messages=messages, n=2)
    raise SystemExit("several choices were not refused")
except openai.BadRequestError as error:
    assert error.body["message"], error
print("openai: as expected")
