/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_CATALOG_INSIDE_H
#define SERVE_CATALOG_INSIDE_H

/* The inside of catalog.h, shared by catalog.c (what there is) and catalog_find.c (what is meant). */

#include "serve/catalog.h"

struct catalog {
	struct catalog_repository *repositories;
	size_t count, capacity;
	struct catalog_repository **by_path; /* sorted by path, then by name */
	struct catalog_paper *papers;
	size_t paper_count, paper_capacity;
	struct digestmap *paper_of; /* digest -> papers[] */
	struct held *blobs;
	size_t blob_count, blob_capacity;
	struct digestmap *blob_of; /* digest -> blobs[] */
};

#endif
