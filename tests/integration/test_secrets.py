"""Secrets of a compiled spec stay out of logs, XCom, rendered fields, serialized DAGs: out of everything."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, text

from aqueduct_provider.demo.local_airflow import DATABASE_VARIABLE
from tests.integration.compiled_draft import CompiledDraft
from tests.integration.flow_place import Place
from tests.support.function_archives import function_archive

KEY_ID = "planted-key-id-77d0"
STORAGE_SECRET = "planted-storage-secret-1f8a"
CONNECTOR_SECRET = "planted-connector/secret+93bc"
SECRETS = (KEY_ID, STORAGE_SECRET, CONNECTOR_SECRET)
SPELLINGS = {
    spelling
    for secret in SECRETS
    for spelling in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode().rstrip("="),
        # Within base64 of something longer, wherever it begins.
        *(base64.b64encode(b"x" * before + secret.encode()).decode()[4:-4] for before in range(3)),
    )
}


def tells_all(fruit: str) -> str:
    import base64
    import os

    print("the environment:", dict(os.environ))
    print("and by heart: planted-key-id-77d0")
    print("quoted: planted-connector%2Fsecret%2B93bc")
    print("a header: " + base64.b64encode(b"me:planted-connector/secret+93bc").decode())
    print("a URI: postgresql://me:planted-by-nobody@host/db")
    return fruit.upper()


def test_planted_secrets_appear_nowhere(place: Place) -> None:
    storage = {
        "region": "us-east-1",
        "bucket": place.bucket,
        "root_dir": "secret",
        "credentials_path": "",
        "credentials_profile": "",
        "aws_access_key_id": KEY_ID,
        "aws_secret_access_key": STORAGE_SECRET,
    }
    connector = {
        "type": "access_key",
        "access_key_id": KEY_ID,
        "secret_access_key": CONNECTOR_SECRET,
        "bucket": place.bucket,
        "region": "us-east-1",
    }
    place.s3.put_object(Bucket=place.bucket, Key="fruit.json", Body=json.dumps("apple").encode())
    place.s3.put_object(Bucket=place.bucket, Key="secret/code.zip", Body=function_archive(tells_all))
    flow = CompiledDraft("flow with secrets", {"type": "s3", "s3_config": storage})
    wanted = {"filepath": json.dumps("fruit.json"), "artifact_type": "json", "format": None, "merge": None}
    flow.s3_extract("fruit", connector, wanted, "fruit")
    flow.function("tells all", "code.zip", ["fruit"], {"loud": "string"})
    with place.dropped(flow.document()) as dag_id:
        run_id, state = place.run(dag_id)
        assert state == "success", place.client.log(dag_id, run_id, "tells_all")
        log = place.client.log(dag_id, run_id, "tells_all")
        answers = [
            place.client.details(dag_id),
            place.client.tasks(dag_id, run_id),
            place.client.xcoms(dag_id, run_id, "tells_all"),
        ]
    for shown in ("and by heart: ***", "quoted: ***", "a URI: postgresql://***@host/db"):
        assert shown in log
    state = b"".join(
        place.s3.get_object(Bucket=place.bucket, Key=item["Key"])["Body"].read()
        for item in place.s3.list_objects_v2(Bucket=place.bucket, Prefix="secret/")["Contents"]
        if not item["Key"].endswith(".zip")
    ).decode(errors="replace")
    assert "and by heart: ***" in state
    everything = {
        "the REST API": json.dumps(answers) + log,
        "the database": dump(place),
        "the store": state,
        **place.airflow.logs(),
    }
    assert run_id in everything["the database"]
    for secret in (*SPELLINGS, "planted-by-nobody"):
        assert [where for where, text in everything.items() if secret in text] == []


def dump(place: Place) -> str:
    """All that Airflow's database holds: serialized DAGs, XComs, rendered fields, and what else there is."""
    engine = create_engine(place.airflow.environment[DATABASE_VARIABLE])
    with engine.connect() as connection:
        tables = [
            connection.execute(text(f'SELECT * FROM "{table}"')).all()
            for table in inspect(engine).get_table_names()
        ]
    engine.dispose()
    return "\n".join(_plain(value) for rows in tables for row in rows for value in row)


def _plain(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else str(value)
