"""What a registry holds: repositories of manifests and blobs, and uploads that are under way."""

import hashlib
import json
import pathlib
import re
import tempfile
import threading
import uuid

INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(text):
    return re.fullmatch(r"sha256:[0-9a-f]{64}", text) is not None


class Repository:
    """Manifests by digest, tags in the order in which they were made, and which blobs are here."""

    def __init__(self, visibility="public"):
        self.visibility = visibility
        self.may_list_tags = True
        self.manifests = {}  # digest -> (bytes, media type)
        self.tags = {}       # tag -> digest
        self.blobs = set()

    def find_manifest(self, reference):
        """(digest, bytes, media type) of a tag or a digest, or None."""
        digest = reference if is_digest(reference) else self.tags.get(reference)
        if digest not in self.manifests:
            return None
        return (digest, *self.manifests[digest])

    def put_manifest(self, reference, data, media_type):
        digest = digest_of(data)
        self.manifests[digest] = (data, media_type)
        if not is_digest(reference):
            self.tags[reference] = digest
        return digest


class Upload:
    """A blob on its way in."""

    def __init__(self, repository, spool):
        self.repository = repository
        self.identity = str(uuid.uuid4())
        self.path = pathlib.Path(spool) / self.identity
        self.path.touch()
        self.patches = 0

    @property
    def size(self):
        return self.path.stat().st_size

    def append(self, body):
        with self.path.open("ab") as file:
            for block in body.blocks():
                file.write(block)

    def digest(self):
        with self.path.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


class Contents:
    """The repositories of one registry. Blobs are files: those of the layouts that were loaded, and uploads."""

    def __init__(self):
        self.lock = threading.Lock()  # for who counts something
        self.repositories = {}
        self.uploads = {}
        self._files = {}
        self._spool = tempfile.TemporaryDirectory(prefix="lade-standin-")

    def find(self, name):
        return self.repositories.get(name)

    def ensure(self, name):
        return self.repositories.setdefault(name, Repository())

    def load(self, name, layout, tags):
        """Adds the images of an OCI layout directory, the first under all the tags."""
        layout = pathlib.Path(layout)
        repository = self.ensure(name)
        top = json.loads((layout / "index.json").read_bytes())["manifests"][0]
        self._load_manifest(repository, layout, top)
        for tag in tags:
            repository.tags[tag] = top["digest"]
        return top["digest"]

    def _load_manifest(self, repository, layout, descriptor):
        data = self._layout_file(layout, descriptor["digest"]).read_bytes()
        repository.manifests[descriptor["digest"]] = (data, descriptor["mediaType"])
        manifest = json.loads(data)
        for child in manifest.get("manifests", []):
            self._load_manifest(repository, layout, child)
        if "config" in manifest:
            for blob in [manifest["config"], *manifest["layers"]]:
                self._files[blob["digest"]] = self._layout_file(layout, blob["digest"])
                repository.blobs.add(blob["digest"])

    @staticmethod
    def _layout_file(layout, digest):
        return layout / "blobs" / digest.replace(":", "/")

    def find_blob(self, repository, digest):
        """The file of a blob that the repository has, or None."""
        return self._files[digest] if digest in repository.blobs else None

    def blob_file(self, digest):
        """The file of a blob in any repository, or None."""
        return self._files.get(digest)

    def begin_upload(self, name):
        upload = Upload(name, self._spool.name)
        self.uploads[upload.identity] = upload
        return upload

    def finish_upload(self, upload):
        """Makes the upload a blob of its repository."""
        digest = upload.digest()
        del self.uploads[upload.identity]
        self._files[digest] = upload.path
        self.ensure(upload.repository).blobs.add(digest)

    def missing_blobs(self, repository, manifest):
        """The digests that a manifest names and the repository does not have."""
        children = [child["digest"] for child in manifest.get("manifests", [])]
        blobs = [blob["digest"] for blob in [*manifest.get("layers", []), manifest.get("config")] if blob]
        return ([digest for digest in children if digest not in repository.manifests] +
                [digest for digest in blobs if digest not in repository.blobs])
