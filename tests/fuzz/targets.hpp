// What the fuzzers feed: functions that take any bytes and abort when a promise is broken. The
// corpus is replayed through them as ordinary tests (corpus_test.cpp).
#pragma once

#include <string_view>

namespace lade::fuzz {

/// Reference::parse, and that a normalised reference stays what it is.
void fuzz_reference(std::string_view input);

/// The parsers of manifests, indexes and configs, and that none takes one for another.
void fuzz_manifest(std::string_view input);

/// All decompressors, in pieces of a size that the first byte gives, and that both gzip decoders
/// agree.
void fuzz_decompress(std::string_view input);

/// A registries.conf: refused in one line, or rules that can be asked about any name.
void fuzz_registries_conf(std::string_view input);

/// A WWW-Authenticate field: what is understood of it is understood again when it is written anew.
void fuzz_challenge(std::string_view input);

/// Link fields, one a line: the next page's link is a piece of one of them.
void fuzz_link(std::string_view input);

/// An auth file: refused in one line, or credentials, and text that login and logout can edit.
void fuzz_auth_file(std::string_view input);

/// A `--format` template over one row: refused in one line, or a text, the same each time.
void fuzz_template(std::string_view input);

/// The index of a tar archive, with the checksums of its headers as they are and made right.
void fuzz_tar(std::string_view input);

/// A layer, applied to a directory beside which lies a file that must stay, with the checksums of
/// its headers as they are and made right.
void fuzz_applier(std::string_view input);

/// The documents of a docker-archive: manifest.json, and those made from a configuration.
void fuzz_docker_archive(std::string_view input);

/// A policy.json: refused in one line, or requirements of every image.
void fuzz_policy(std::string_view input);

/// A signature's payload, a signature as it is kept, and a manifest's digest: what is understood is
/// written and understood again.
void fuzz_signature(std::string_view input);

/// A YAML document, and one of registries.d: refused in one line, or a tree within bounds.
void fuzz_yaml(std::string_view input);

/// A file of `sync --src yaml`: refused, or sources whose filters leave what is listed.
void fuzz_sync_file(std::string_view input);

/// A state, a lock, a mirror's state and the head of a bundle: what is understood is written and
/// understood again.
void fuzz_sync_records(std::string_view input);

/// A config.json, a process and resources of their own: refused in one line, or a specification
/// whose paths stay where they belong, and its plan.
void fuzz_runtime_spec(std::string_view input);

}  // namespace lade::fuzz
