#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many names for one image in the storage of a docker-registry, without a thousand uploads.

    stock.py STORAGE REPOSITORY TAG < NAMES    each NAME:TAG becomes what REPOSITORY:TAG is; other names go away
"""
import os
import shutil
import sys

storage, repository, tag = sys.argv[1:]
repositories = os.path.join(storage, "docker/registry/v2/repositories")
source = os.path.join(repositories, repository)
kept = repository.split("/")[0]
for name in os.listdir(repositories):
    if name != kept:
        shutil.rmtree(os.path.join(repositories, name))
tags = {}
for line in sys.stdin:
    name, _, new = line.strip().rpartition(":")
    tags.setdefault(name, []).append(new)
for name, news in tags.items():
    folder = os.path.join(repositories, name)
    for part in ("_layers", "_manifests/revisions"):
        shutil.copytree(os.path.join(source, part), os.path.join(folder, part))
    for new in news:
        shutil.copytree(os.path.join(source, "_manifests/tags", tag), os.path.join(folder, "_manifests/tags", new))
