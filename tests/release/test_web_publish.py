import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from moto import mock_aws

from local.engine.aws import LocalAws
from local.running_stack import RunningStack
from release.web_publish import CONTENT_TYPES, UnpublishableError, invalidate, publish
from tests.shells import Scc

BUCKET = "web"
WEB = Path(__file__).parents[2] / "web"


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with mock_aws():
        yield LocalAws("https://s3.amazonaws.com")


@pytest.fixture
def s3(aws: LocalAws) -> Any:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("index.html", "scripts/app.js", "styles/app.css", "images/bow.png", ".swp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def keys(s3: Any) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_every_file_is_there_with_a_type_that_browsers_accept(s3: Any, folder: Path) -> None:
    publish(s3, BUCKET, "", folder)
    assert keys(s3) == {"index.html", "scripts/app.js", "styles/app.css", "images/bow.png"}
    types = {key: s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] for key in keys(s3)}
    assert types == {
        "index.html": "text/html; charset=utf-8",
        "scripts/app.js": "text/javascript; charset=utf-8",
        "styles/app.css": "text/css; charset=utf-8",
        "images/bow.png": "image/png",
    }


def test_browsers_ask_again_for_code_and_keep_images_for_a_day(s3: Any, folder: Path) -> None:
    publish(s3, BUCKET, "", folder)
    for key in ("index.html", "scripts/app.js", "styles/app.css"):
        assert s3.head_object(Bucket=BUCKET, Key=key)["CacheControl"] == "no-cache"
    image = s3.head_object(Bucket=BUCKET, Key="images/bow.png")
    assert image["CacheControl"] == "public, max-age=86400"


def test_only_what_changed_is_uploaded_again(s3: Any, folder: Path) -> None:
    publish(s3, BUCKET, "", folder)
    (folder / "styles/app.css").write_text("body {}")
    changes = publish(s3, BUCKET, "", folder)
    assert changes.uploaded == ("styles/app.css",)
    assert len(changes.unchanged) == 3
    body = s3.get_object(Bucket=BUCKET, Key="styles/app.css")["Body"].read()
    assert body == b"body {}"


def test_the_page_is_uploaded_after_what_it_names(s3: Any, folder: Path) -> None:
    assert publish(s3, BUCKET, "", folder).uploaded[-1] == "index.html"


def test_files_removed_here_are_removed_there_and_only_below_the_prefix(
    s3: Any, folder: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key="elsewhere.txt", Body=b"")
    publish(s3, BUCKET, "_staging/", folder)
    (folder / "scripts/app.js").unlink()
    assert publish(s3, BUCKET, "_staging/", folder).deleted == ("_staging/scripts/app.js",)
    assert "elsewhere.txt" in keys(s3)
    assert "_staging/scripts/app.js" not in keys(s3)


def test_where_others_keep_files_too_none_is_removed(s3: Any, folder: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="brochure.pdf", Body=b"theirs")
    publish(s3, BUCKET, "", folder, is_mirror=False)
    (folder / "scripts/app.js").unlink()
    assert publish(s3, BUCKET, "", folder, is_mirror=False).deleted == ()
    assert keys(s3) >= {"brochure.pdf", "index.html", "scripts/app.js"}


def test_a_folder_without_a_page_is_refused_before_anything_is_removed(
    s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"live")
    with pytest.raises(UnpublishableError, match=r"no index\.html"):
        publish(s3, BUCKET, "", tmp_path)
    assert keys(s3) == {"index.html"}


def test_a_file_of_unknown_type_is_named(s3: Any, folder: Path) -> None:
    (folder / "backup.tar").touch()
    with pytest.raises(UnpublishableError, match=r"backup\.tar"):
        publish(s3, BUCKET, "", folder)
    assert keys(s3) == set()


def test_every_file_of_the_web_client_has_a_known_type() -> None:
    names = [path for path in WEB.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert {path.suffix for path in names} <= CONTENT_TYPES.keys()


def test_an_invalidation_names_the_paths_below_the_prefix(aws: LocalAws) -> None:  # aws: moto is on
    cloudfront = LocalAws("https://cloudfront.amazonaws.com").client("cloudfront")
    origin = {
        "Id": "web",
        "DomainName": "web.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    distribution = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "web",
                "ViewerProtocolPolicy": "redirect-to-https",
            },
        }
    )["Distribution"]["Id"]
    first = invalidate(cloudfront, distribution, "_staging/")
    second = invalidate(cloudfront, distribution, "_staging/")
    assert first != second
    found = cloudfront.get_invalidation(DistributionId=distribution, Id=first)
    assert found["Invalidation"]["InvalidationBatch"]["Paths"]["Items"] == ["/_staging/*"]


def test_the_command_publishes_a_folder_and_waits_for_cloudfront(
    local: Scc, stack: RunningStack, tmp_path: Path
) -> None:
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder)
    (folder / "hello.txt").write_text("Ahoy.")

    def published(*more: str) -> dict[str, Any]:
        answer = local("web", "publish", "--stage", "staging", "--json", *more)
        assert answer.returncode == 0, answer.stderr
        told: dict[str, Any] = json.loads(answer.stdout)
        return told

    first = published("--folder", str(folder))
    assert (first["uploaded"], first["deleted"], first["invalidated"]) == (1, 0, "/_staging/*")
    with urlopen(f"{stack.url}/_staging/hello.txt", timeout=10) as answer:
        assert answer.read() == b"Ahoy."
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
    second = published()
    assert (second["uploaded"], second["deleted"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stage", "beta"], "beta"),
        (["--stage", "staging", "--folder", "/nowhere"], "/nowhere"),
        (["--stage", "staging", "--folder", "."], "no index.html"),
        ([], "--stage"),
    ],
)
def test_a_failed_publication_is_reported(local: Scc, arguments: list[str], says: str) -> None:
    answer = local("web", "publish", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
