#!/usr/bin/env bash
# Regenerates the committed Swift of every .proto. Needs protoc (Debian: protobuf-compiler).
set -euo pipefail
cd "$(dirname "$0")/.."
swift build --product protoc-gen-swift
plugin="$(swift build --show-bin-path)/protoc-gen-swift"
for proto in Sources/*/*.proto; do
  folder="$(dirname "$proto")"
  visibility=Public
  [ "$folder" = Sources/JournalClient ] && visibility=Internal
  protoc --plugin=protoc-gen-swift="$plugin" --proto_path="$folder" --swift_out="$folder" \
    --swift_opt=Visibility="$visibility" --swift_opt=UseAccessLevelOnImports=true "$(basename "$proto")"
done
# The generator does not yet mark its one unsafe expression for strict memory safety.
sed -i 's/var _storage = _StorageClass/var _storage = unsafe _StorageClass/' Sources/*/*.pb.swift
