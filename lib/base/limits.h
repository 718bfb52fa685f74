/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* A named number bounds everything that comes from outside. Each is tested at its edge. Bytes unless said. */

#define LIMIT_REFERENCE 512       /* a reference as a person types it */
#define LIMIT_REPOSITORY 255      /* distribution spec: name, host included */
#define LIMIT_TAG 128             /* distribution spec */
#define LIMIT_MANIFEST (4u << 20) /* manifest or index */
#define LIMIT_CONFIG (8u << 20)   /* image configuration */
#define LIMIT_TOC (64u << 20)     /* imgpack.json: 1,000 images of 1,024 layers fit */
#define LIMIT_PAPER (64u << 20)   /* index.json, manifest.json */
#define LIMIT_TOKEN_BODY (64u << 10)
#define LIMIT_ERROR_BODY (64u << 10)
#define LIMIT_ERROR_SHOWN 512 /* of an error body, shown to the person */
#define LIMIT_HEADER_BLOCK (64u << 10)
#define LIMIT_CREDENTIALS (1u << 20) /* docker's config.json; a helper's answer */
#define LIMIT_JSON_DEPTH 64          /* levels */
#define LIMIT_LAYERS 1024            /* layers of an image */
#define LIMIT_INDEX_ENTRIES 1024     /* descriptors of an index */
#define LIMIT_INDEX_NESTING 2        /* an index inside an index */
#define LIMIT_IMAGES 4096            /* images of an archive */
#define LIMIT_MEMBERS 262144         /* members of a tar */
#define LIMIT_REDIRECTS_BLOB 5
#define LIMIT_REDIRECTS_TOKEN 3
#define LIMIT_CONNECTIONS 64             /* --connections */
#define LIMIT_STALL_SECONDS 600          /* --stall-timeout */
#define LIMIT_RETRIES 100                /* --retries */
#define LIMIT_RETRY_AFTER_SECONDS 120    /* a Retry-After that is longer ends the run, and is shown */
#define LIMIT_RATE_LEAST 1000            /* --limit-rate, bytes a second */
#define LIMIT_DOCKER_JSON (4u << 20)     /* an answer of docker's API that is one document */
#define LIMIT_DOCKER_LINE (64u << 10)    /* one object of the stream that POST /images/load answers */
#define LIMIT_DOCKER_ANSWER (256u << 20) /* that whole stream: a 100 GB image reports its progress in some 40 MB */
#define LIMIT_DOCKER_SILENCE 120     /* seconds without a byte while a daemon unpacks, and one more a megabyte sent */
#define LIMIT_PUSH_TRIES 4           /* of one upload to a registry, when the network fails */
#define LIMIT_CHALLENGE_VALUE 4096   /* one parameter of a WWW-Authenticate header (a realm is a URL) */
#define LIMIT_HELPER_SECONDS 30      /* a credential helper's whole run, seconds */
#define LIMIT_TOKEN (32u << 10)      /* a token as it goes into the Authorization header */
#define LIMIT_TOKEN_MIN_LIFE 60      /* seconds a token is taken to live at least, and when nothing is said */
#define LIMIT_TOKEN_MAX_LIFE 86400   /* and at most */
#define LIMIT_XZ_MEMORY (128u << 20) /* to unpack xz: twice what `xz -9` needs */
#define LIMIT_MEMBER_NAME 1024       /* of a tar that another program wrote */
#define LIMIT_MEMBER_HEADERS (256u << 10) /* pax and long-name records in front of one member */
#define LIMIT_TAR_TAIL (64u << 20)        /* zeros behind a tar's end: tape blocks, disk images */
#define LIMIT_INDEX_VISITS 65536          /* entries of all indexes of an archive, repeated readings counted */
#define LIMIT_JSON_VALUES 65536 /* values of a JSON document, and one more for every LIMIT_JSON_DENSITY bytes of it */
#define LIMIT_JSON_DENSITY 16   /* "[0,0,0,...]" takes 50 times its size in memory; a real paper has 20 bytes a value */

#define LIMIT_RECIPE (8u << 20)       /* what a layer's gzip is rebuilt from: 0.05 % of 16 GB */
#define LIMIT_BLOCK_TOKENS (1u << 20) /* symbols of a deflate block that is rebuilt; encoders use 16384 to 65536 */
#define LIMIT_BLOCKS_WAITING 1024     /* blocks that a simulation has not got to yet */

#define LIMIT_SETTINGS (1u << 20)     /* hosts.toml, registries.conf, daemon.json */
#define LIMIT_TOML_DEPTH 16           /* arrays and tables inside each other; parts of one key; "a.b.c" has three */
#define LIMIT_TOML_TABLES 4096        /* of one file */
#define LIMIT_SETTINGS_VALUES 65536   /* scalars, lists and mappings of a YAML file that a person wrote */
#define LIMIT_SETTINGS_DEPTH 16       /* of them inside each other */
#define LIMIT_RULES 4096              /* rules of one file */
#define LIMIT_RULE 1024               /* a line of it */
#define LIMIT_RULE_PIECES 64          /* captures and the text between them, of one side of a rule */
#define LIMIT_RULE_VARIABLES 64       /* of one file */
#define LIMIT_SETTINGS_FILES 256      /* of one folder: registries.conf.d, the certificates of a host */
#define LIMIT_CERTIFICATES (8u << 20) /* all authorities of one host; Debian's whole bundle has 0.2 MB */

#define LIMIT_CHUNKS 9999        /* files of a split archive */
#define LIMIT_CHUNK_LEAST 4096   /* --split, bytes */
#define LIMIT_PARITY 64          /* --parity */
#define LIMIT_ERASURE 255        /* chunks and parity files together, where there is parity: GF(2^8) has no more */
#define LIMIT_SUMS (64u << 20)   /* a table: 4 TB of chunks */
#define LIMIT_FOLDER_FILES 65536 /* of a folder that is looked through for chunks */

#define LIMIT_REFERRERS 1024                     /* signatures, SBOMs and the like of an image; of one list */
#define LIMIT_REFERRER_BYTES (UINT64_C(1) << 30) /* of them all of an image */
#define LIMIT_REFERRER_DEPTH 2                   /* a signature of an SBOM */

#define LIMIT_THIN_REPOSITORIES 2000 /* of a registry, in which a blob is looked for that an archive relies on */

#define LIMIT_PIPE_KEPT                                                                                                \
	(64u << 20) /* of an archive's beginning, to read its papers out of a pipe; else it is spooled */

#define LIMIT_PATH 4095            /* of a target's socket or folder */
#define LIMIT_NAMESPACE 76         /* of containerd, as containerd has it */
#define LIMIT_CTR_LIST (64u << 20) /* what ctr lists: 800,000 blobs */
#define LIMIT_CTR_SECONDS 300      /* for one list; it asks for the size of every image */

#define LIMIT_SHARDS 4096 /* --shard: as many as an archive may have images */

#define LIMIT_SCAN_FILE (32u << 20)  /* a manifest; all objects of a cluster are larger than most */
#define LIMIT_SCAN_FILES 65536       /* of one run */
#define LIMIT_SCAN_DEPTH 64          /* folders inside each other */
#define LIMIT_SIGHTS 65536           /* fields named image of one file */
#define LIMIT_YAML_NODES (1u << 20)  /* values of a document: 100 MB of memory */
#define LIMIT_YAML_DEPTH 256         /* lists and maps; schemas of custom resources have some 50 */
#define LIMIT_YAML_ANCHORS 4096      /* of a document */
#define LIMIT_YAML_MERGE 512         /* entries of a map that is merged into another one */
#define LIMIT_YAML_VISITS (8u << 20) /* values that a walk comes by, aliased ones counted each time */
#define LIMIT_DOCKERFILE_ARGS 256    /* in front of the first FROM */
#define LIMIT_DOCKERFILE_STAGES 1024

#define LIMIT_INVENTORY (64u << 20) /* a list of what a site has: 900,000 digests */

#define LIMIT_LIST_PAGE (4u << 20) /* a page of a registry's repositories or tags */
#define LIMIT_LIST_PAGES 65536     /* of one list */
#define LIMIT_LISTED 1000000       /* names of one list, and tags of all of a registry's repositories */

#define LIMIT_TITLE 1024          /* of an issue; GitHub's have 256 characters */
#define LIMIT_PORTER_PLATFORMS 16 /* that a title names */

#define LIMIT_SERVE_CLIENTS 1024          /* connections to `serve` at once; more wait to be accepted */
#define LIMIT_SERVE_ONE_CLIENT 512        /* of them from one address */
#define LIMIT_SERVE_HEAD (16u << 10)      /* a request's head and its answer's, together */
#define LIMIT_SERVE_HEAD_SECONDS 30       /* until a request's head is complete, and between two requests */
#define LIMIT_SERVE_STALL_SECONDS 60      /* of an answer that its client does not read on */
#define LIMIT_SERVE_GRACE_SECONDS 10      /* for running answers, once it is to stop */
#define LIMIT_HTPASSWD (1u << 20)         /* the file of users */
#define LIMIT_CERTIFICATE_FILE (1u << 20) /* a server's own, or its key */

#define LIMIT_IMAGES_FILE (4u << 20) /* the list behind --images */
#define LIMIT_PASSWORD (64u << 10)   /* a password or token on standard input; cloud keys have some 3 KB */

#endif
