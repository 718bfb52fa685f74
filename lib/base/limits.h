/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* A named number bounds everything that comes from outside. Each is tested at its edge. Bytes unless said. */

#define LIMIT_REFERENCE 512         /* a reference as a person types it */
#define LIMIT_REPOSITORY 255        /* distribution spec: name, host included */
#define LIMIT_TAG 128               /* distribution spec */
#define LIMIT_MANIFEST (4u << 20)   /* manifest or index */
#define LIMIT_CONFIG (8u << 20)     /* image configuration */
#define LIMIT_TOC (64u << 20)       /* imgpack.json: 1,000 images of 1,024 layers fit */
#define LIMIT_PAPER (64u << 20)     /* index.json, manifest.json */
#define LIMIT_TOKEN_BODY (64u << 10)
#define LIMIT_ERROR_BODY (64u << 10)
#define LIMIT_ERROR_SHOWN 512       /* of an error body, shown to the person */
#define LIMIT_HEADER_BLOCK (64u << 10)
#define LIMIT_CREDENTIALS (1u << 20) /* docker's config.json; a helper's answer */
#define LIMIT_JSON_DEPTH 64         /* levels */
#define LIMIT_LAYERS 1024           /* layers of an image */
#define LIMIT_INDEX_ENTRIES 1024    /* descriptors of an index */
#define LIMIT_INDEX_NESTING 2       /* an index inside an index */
#define LIMIT_IMAGES 4096           /* images of an archive */
#define LIMIT_MEMBERS 262144        /* members of a tar */
#define LIMIT_REDIRECTS_BLOB 5
#define LIMIT_REDIRECTS_TOKEN 3
#define LIMIT_CONNECTIONS 64        /* --connections */

#endif
