/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

/*
 * The story: each verb as a pipeline. cmd/ fills an options struct and shows the report; everything between happens
 * here and below. Options are borrowed during the call. Reports are returned owned; flow_*_json() renders one as
 * design.md's
 * --json document (one line and a newline).
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "flow/shard.h"
#include "oci/platform.h"
#include "registry/credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How to reach registries: the same for every verb that does. */
struct connect_options {
	size_t connections;                  /* at once; 0: 8 */
	const char *const *plain_http;       /* NULL-terminated HOST[:PORT] that are asked by http://, or NULL */
	const struct credential *credential; /* --username with --password-stdin, or NULL */
	const char *credential_for;          /* the registry that it belongs to; NULL: the only one there is */
	const char *cacert;                  /* file, or NULL */
	const char *cert;                    /* client certificate file, or NULL */
	const char *key;                     /* its key, or NULL: in the same file */
	const char *const *insecure; /* NULL-terminated HOST[:PORT] whose certificates are not checked, or NULL */
	const char *proxy;           /* URL, or NULL: environment, then docker's config.json */
	bool use_mirrors;            /* those of this machine\'s configuration, too */
	const char *const *mirrors;  /* NULL-terminated REGISTRY=[SCHEME://]HOST[/PATH], in order; or NULL */
	uint64_t limit_rate;         /* bytes a second, all connections together; 0: no limit */
	unsigned stall_seconds;      /* without a byte; 0: 30 */
	bool retries_given;          /* false: 5 */
	unsigned retries;            /* in a row, without progress */
	unsigned retry_ms;           /* the first wait is at most this long; 0: 2000 */
	bool wait_for_quota;         /* wait for a pull limit's end, however long it is */
};

struct flow_platform {
	char *name; /* "linux/amd64" */
	struct digest manifest;
};
/* What belongs to an image without being part of it. */
struct flow_referrer {
	struct digest manifest;
	struct digest subject; /* what of the image it belongs to, or another referrer */
	char *tag;             /* that it came by ("sha256-<hex>.sig"), or NULL */
	char *type;            /* its artifact type */
	uint64_t bytes;        /* with its blobs */
};
struct flow_layer {
	struct digest digest;
	uint64_t bytes;
	char *media_type;
	bool absent; /* the archive relies on it, and does not hold it */
};
/* One image as every report shows it. */
struct flow_image {
	char *name;           /* or NULL */
	struct digest digest; /* what the name's tag points at in the registry */
	struct flow_platform *platforms;
	size_t platform_count;
	struct flow_layer *layers; /* of all its platforms, each once */
	size_t layer_count;
	struct flow_referrer *referrers;
	size_t referrer_count;
	uint64_t bytes; /* without the referrers */
	char *created;  /* of the preferred platform's config, or NULL */
};

struct flow_images {
	struct flow_image *items;
	size_t count;
};

/* fetch */
/* Whether what was written is read back from the medium before it gets its name. */
enum reread { REREAD_REMOVABLE, REREAD_ALWAYS, REREAD_NEVER };
struct fetch_options {
	const char *const *references; /* as typed */
	size_t reference_count;
	const struct platform *platforms; /* none: the default platform */
	size_t platform_count;
	bool all_platforms;
	bool referrers;     /* signatures, SBOMs and attestations too */
	struct shard shard; /* this part of the references alone */
	bool plan_only;     /* --plan: nothing downloaded but papers */
	const char *output; /* "-": standard output; no split, parity or have_archives then */
	uint64_t split;     /* bytes of a chunk; 0: one file */
	size_t parity;      /* parity files beside the chunks */
	enum reread reread;
	const char *only;                 /* flow_fetch_only(): the list of wanted blocks */
	const char *const *maps;          /* what --map names (flow/maps.h): where images are fetched from; or NULL */
	const char *const *have_archives; /* NULL-terminated: archives whose blobs need no download; or NULL */
	const char *const *have;          /* NULL-terminated: lists of what the other side has (flow/have.h); or NULL */
	struct connect_options connect;
	const struct events *events;
};
/* A file that was written: a chunk, or what stands beside the chunks. */
struct fetch_file {
	char *file;
	uint64_t bytes;
	struct digest sha256;
};

/* What a plan says on top (flow/forecast.h). */
struct forecast_image { /* bytes of layers and the like; a blob that several images share is the first one's */
	uint64_t download;
	uint64_t there;    /* on this disk: an earlier run's, or another archive's */
	uint64_t left_out; /* the other side has it */
};
struct flow_pulls {
	char *host;         /* who was asked: a mirror, or the registry itself */
	uint64_t manifests; /* requests for manifests and indexes, which pull limits count: the plan's, and the fetch's
			       again */
	bool known;         /* it says what is left now: */
	uint64_t left;
	uint64_t limit;  /* 0: it does not say */
	uint64_t window; /* seconds; 0: it does not say */
};
struct forecast {
	struct forecast_image *images; /* one an image of the report */
	uint64_t download_bytes;
	uint64_t there_bytes;
	uint64_t here_bytes; /* of disk here: archive, parity, sums */
	uint64_t load_bytes; /* of blobs: what a registry there would hold more, at most */
	char *folder;        /* of the output; NULL: none is named */
	bool free_known;     /* the folder is there, and its disk says: */
	uint64_t free_bytes; /* without what an earlier run of this fetch takes already */
	bool fits;
	struct flow_pulls *pulls;
	size_t pull_count;
};
void forecast_free(struct forecast *f);
OWNED(forecast)

struct fetch_report {
	bool plan_only;            /* nothing was written: no digests of files */
	struct forecast *forecast; /* of a plan, else NULL */
	char *archive;             /* NULL: none was named; or `shard` is empty, and none was written */
	struct digest id;
	uint64_t bytes; /* of the archive */
	struct flow_images images;
	struct shard shard;
	uint64_t downloaded_bytes;
	uint64_t reused_bytes;
	uint64_t left_out; /* layers that the other side has (--have): how many, and their bytes */
	uint64_t left_out_bytes;
	/* Of an archive in chunks: what was written, or (plan_only) how it would be cut. */
	struct fetch_file *chunks;
	size_t chunk_count;
	struct fetch_file *parity;
	size_t parity_count;
	char *sums;
};
/* The archive goes to standard output. */
bool fetch_to_stdout(const struct fetch_options *o);
struct fetch_report *flow_fetch(const struct fetch_options *o, struct err *e);
void fetch_report_free(struct fetch_report *r);
OWNED(fetch_report)
int fetch_report_json(const struct fetch_report *r, struct buf *out, struct err *e);

/*
 * fetch --only: the blocks that the list of flow_wants() asks for, to options->output. The references and platforms are
 * those of the fetch that made the chunks; if they make another archive than the list's now, ERR_CORRUPT. `split`,
 * `parity`, `have_archives` and `plan_only` are not looked at.
 */
struct only_report {
	char *output;
	struct digest id; /* of the archive that the blocks belong to */
	uint64_t bytes;   /* of the file */
	uint64_t blocks;
	uint64_t block_bytes;
	uint64_t downloaded_bytes;
};
struct only_report *flow_fetch_only(const struct fetch_options *o, struct err *e);
void only_report_free(struct only_report *r);
OWNED(only_report)
int only_report_json(const struct only_report *r, struct buf *out, struct err *e);

/*
 * Where an archive is (verify, inspect, load): one file; or folders, several one a stick, that hold its chunks; or any
 * of its chunks, whose folder is looked through for the others. pack/chunkset.h says how they are known.
 */
struct archive_paths {
	const char *const *items;
	size_t count;
};

/*
 * Chunks are missing: `missing` names them ("x.tar.003 and 2 more"). The folder or file to look at next, owned; "":
 * look at the same ones again; NULL: it is given up.
 */
typedef char *ask_medium(void *ctx, const char *missing);
/* How messages call an archive: its path, escaped, or "standard input" for "-", which load, verify and inspect take. */
const char *flow_archive_noun(const char *path, char shown[160]);

/* verify and inspect */
struct flow_problem {
	char *chunk; /* the file: offset and length are in it */
	uint64_t offset, length;
	bool whole;   /* the file as such: missing, cut, changed as text; not these bytes of it alone */
	char *member; /* or NULL */
	char *image;  /* or NULL */
	char *what;
};
struct verify_report {
	char *archive;
	char *format;
	char *compression;
	bool has_id;
	struct digest id;
	uint64_t bytes;
	struct flow_images images;
	struct flow_problem *problems;
	size_t problem_count;
	char **unproved; /* sentences: what could not be checked */
	size_t unproved_count;
	uint64_t blobs; /* how many, and how many bytes they are */
	uint64_t blob_bytes;
	struct flow_layer *absent; /* blobs that the archive relies on and does not hold, each once */
	size_t absent_count;
	uint64_t absent_bytes;
};
/*
 * verify: the report is returned even when problems were found (*e then holds the first, kind ERR_CORRUPT; it is
 * ERR_NONE otherwise): the caller shows the list and exits with err_exit_code(). NULL only if not even the papers could
 * be read.
 */
struct verify_report *flow_verify(const struct archive_paths *paths, bool diff_ids, const struct events *events,
				  struct err *e);
/* inspect: the papers alone. */
struct verify_report *flow_inspect(const struct archive_paths *paths, const struct events *events, struct err *e);
void verify_report_free(struct verify_report *r);
OWNED(verify_report)
int verify_report_json(const struct verify_report *r, struct buf *out, struct err *e);

/* check: what would not load where, told from the papers alone. */
struct check_options {
	struct archive_paths archive;
	const char *const *targets;      /* NULL-terminated names (flow/consumers.h), or NULL: all */
	const struct platform *platform; /* that the targets have, or NULL: not looked at */
	const struct events *events;
};
struct check_finding {
	char *image;   /* the first that it is true of; NULL: the archive as such */
	size_t images; /* how many */
	bool refuses;  /* it does not load; false: it loads, and something is not as it was */
	bool own_tool; /* only where the program's own load is used: `imgpack load` writes papers anew */
	const char *why;
};
struct check_target {
	const char *name, *about;
	bool loads;          /* with `imgpack load` */
	bool own_tool_loads; /* with the program's own tool */
	struct check_finding *findings;
	size_t count;
};
struct check_report {
	char *archive;
	char *format;
	char *compression;
	struct flow_images images;
	struct check_target *targets;
	size_t count;
};
/* ERR_USAGE: an unknown target; ERR_CORRUPT: not even the papers can be read. What does not load is no error here. */
struct check_report *flow_check(const struct check_options *o, struct err *e);
void check_report_free(struct check_report *r);
OWNED(check_report)
int check_report_json(const struct check_report *r, struct buf *out, struct err *e);

/* convert: any archive that can be read, written as ours. */
struct convert_options {
	struct archive_paths from;
	const char *const *names; /* NULL-terminated "OLD=NEW" (flow/names.h), or NULL */
	struct fetch_options to;  /* output, split, parity, reread and events alone are looked at */
};
struct convert_report {
	struct fetch_report *written;
	char *source; /* what was read */
	char *format;
	char *compression;
	char **unproved; /* sentences: what could not be checked, and what was made up */
	size_t unproved_count;
};
/*
 * Every byte of the source is verified, diff IDs too, before the first is written; blobs are hashed again on their way.
 * Manifests and indexes keep their bytes; of an index that is not all there, what is there is written, and a
 * docker-archive, which has no manifest of a registry, gets one that is made up. The same source gives the same bytes.
 */
struct convert_report *flow_convert(const struct convert_options *o, struct err *e);
void convert_report_free(struct convert_report *r);
OWNED(convert_report)
int convert_report_json(const struct convert_report *r, struct buf *out, struct err *e);

/* repair: chunks, parity files and the sums file of a set that are lost or damaged are made anew. */
struct repair_options {
	struct archive_paths paths;
	const char *folder; /* where the new files go; NULL: the folder of the first chunk that is found */
	const struct events *events;
};
struct repair_report {
	char *archive;
	size_t chunks, parity; /* files of the set, without the sums file */
	struct fetch_file *repaired;
	size_t repaired_count;
	struct flow_problem *problems; /* that were found, repaired or not */
	size_t problem_count;
};
/*
 * Changes no file that is there. The report is also returned when too much is lost: then nothing was written, and *e
 * (ERR_CORRUPT) says what is needed; it is ERR_NONE otherwise. NULL: there is no verdict.
 */
struct repair_report *flow_repair(const struct repair_options *o, struct err *e);
void repair_report_free(struct repair_report *r);
OWNED(repair_report)
int repair_report_json(const struct repair_report *r, struct buf *out, struct err *e);

/* load */
struct load_options {
	struct archive_paths archive;
	ask_medium *ask; /* NULL: nobody can be asked, missing chunks are an error */
	void *ask_ctx;
	const char *to; /* TARGET (flow/place.h), or NULL: docker if it answers, else podman, else containerd */
	bool replace;
	bool pin;                        /* containerd alone: the kubelet shall not remove the images */
	bool create_project;             /* make the projects that a Harbor lacks */
	const char *receipt;             /* file, or NULL (flow/receipt.h) */
	const struct platform *platform; /* or NULL */
	const char *const *names;        /* NULL-terminated "OLD=NEW", or NULL */
	const char *const *maps;         /* what --map names (flow/maps.h): what images are called there; or NULL */
	const char *expect;              /* archive ID that it must have, or NULL */
	struct connect_options connect;
	const struct events *events;
};
struct load_report_image {
	char *name; /* in the archive, or NULL */
	struct digest digest;
	char *loaded_as;
	uint64_t bytes; /* of its blobs, each once */
	bool had_it;    /* it stood there already */
};
struct load_report {
	char *target; /* NULL: several registries, which the names say */
	struct load_report_image *images;
	size_t count;
	uint64_t sent_bytes;
	uint64_t skipped_bytes;
	size_t referrers; /* that stand there, too */
};
struct load_report *flow_load(const struct load_options *o, struct err *e);
void load_report_free(struct load_report *r);
OWNED(load_report)
int load_report_json(const struct load_report *r, struct buf *out, struct err *e);

/* copy: from registries to a registry; nothing of a blob is kept here. */
struct copy_options {
	const char *const *sources; /* references as typed */
	size_t source_count;
	const char *destination;  /* of a single source: a repository, with or without a tag; or TARGET registry:...; or
				     NULL */
	const char *to;           /* TARGET registry:HOST[:PORT][/PREFIX]; or NULL: destination, or what `maps` says */
	const char *const *names; /* NULL-terminated "OLD=NEW", or NULL */
	const char *const *maps;  /* what --map names (flow/maps.h): what images are called there; or NULL */
	const struct platform *platforms; /* none: everything that a reference points at */
	size_t platform_count;
	bool replace;
	bool create_project;            /* of a Harbor, where it lacks */
	const char *receipt;            /* FILE of --receipt, or NULL */
	struct shard shard;             /* this part of the sources alone */
	bool referrers;                 /* signatures, SBOMs and attestations too */
	bool plan_only;                 /* nothing is sent: the report says what would be */
	struct connect_options connect; /* credential: the destination's */
	const struct events *events;
};
struct load_report *flow_copy(const struct copy_options *o, struct err *e);

/* wants */
struct wants_options {
	struct archive_paths paths;
	const char *output; /* write the list there, too; or NULL */
	bool no_parity;     /* ask for everything, also for what the parity files at hand bring back */
	const struct events *events;
};
struct wants_file {
	char *name;     /* in the table */
	bool missing;   /* no file holds it */
	uint64_t bytes; /* of it that are bad or missing */
};
struct wants_report {
	char *archive;
	struct digest id;
	struct buf list;     /* the text (pack/wants.h) */
	struct wants *wants; /* what it says */
	uint64_t blocks;     /* asked for */
	uint64_t bytes;
	uint64_t repairable;      /* bytes that are bad or missing, too, and come back from the parity files at hand */
	struct wants_file *files; /* chunks that are not whole */
	size_t file_count;
};
/* ERR_USAGE: without a table nobody knows what a block must be; or it is one file. Nothing missing: an empty list. */
struct wants_report *flow_wants(const struct wants_options *o, struct err *e);
void wants_report_free(struct wants_report *r);
OWNED(wants_report)
int wants_report_json(const struct wants_report *r, struct buf *out, struct err *e);

/* scan: image references in manifests (oci/scan.h says what counts). */
struct scan_options {
	const char *const *paths; /* files, folders; "-": standard input */
	size_t path_count;
	const struct events *events;
};
struct scan_place {
	const char *file; /* borrowed from the report */
	size_t line;
};
struct scan_image {
	char *name;                      /* in full: "docker.io/library/nginx:1" */
	const struct scan_place *places; /* where it stands, in the order of the files; borrowed from the report */
	size_t place_count;
};
/* What was not taken, or not read. */
struct scan_skipped {
	struct scan_place place;
	char *text; /* as written (foreign bytes); "" */
	char *why;
	bool doubt; /* named like an image, but nothing says that it is one */
};
struct scan_report {
	char **files; /* that were read */
	size_t file_count;
	struct scan_image *images; /* each once, sorted by name */
	size_t count;
	struct scan_place *places; /* of all of them */
	struct scan_skipped *skipped;
	size_t skipped_count;
	struct scan_skipped *problems; /* files that are broken from this line on */
	size_t problem_count;
	char **charts; /* folders of Helm charts, whose templates were not read */
	size_t chart_count;
};
/*
 * Of a folder: *.yaml, *.yml, *.json, Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile likewise, in the order
 * of their names; without hidden files and folders, folders behind symbolic links, and templates/ of a chart. A file
 * that is named is read whatever it is called. The report is also returned when files are broken: *e then holds the
 * first, kind ERR_CORRUPT; it is ERR_NONE otherwise. NULL: a path cannot be read (ERR_LOCAL), or there are too many
 * files.
 */
struct scan_report *flow_scan(const struct scan_options *o, struct err *e);
void scan_report_free(struct scan_report *r);
OWNED(scan_report)
int scan_report_json(const struct scan_report *r, struct buf *out, struct err *e);

/* inventory: what a site already has, for `fetch --have` */
struct inventory_options {
	const char *const *places; /* TARGETs of one place, archives, folders of archives, lists; as typed */
	size_t count;
	const char *output; /* write the list there, too; or NULL */
	struct connect_options connect;
	const struct events *events;
};
struct inventory_report {
	struct buf list; /* the text (pack/inventory.h) */
	char *output;    /* where it was written, too; or NULL */
	uint64_t blobs, chains;
	uint64_t images, archives, lists;
	uint64_t repositories, tags, manifests; /* of a registry; manifests: that were read, children of indexes too */
	uint64_t requests;                      /* answered by the registry: pages of lists, and manifests */
	uint64_t left_out;                      /* what could not be read, each a warning */
};
struct inventory_report *flow_inventory(const struct inventory_options *o, struct err *e);
void inventory_report_free(struct inventory_report *r);
OWNED(inventory_report)
int inventory_report_json(const struct inventory_report *r, struct buf *out, struct err *e);

/* serve: the archives as a registry that can be read. */
struct serve_options {
	struct archive_paths paths; /* files that are archives; the others together are one in chunks */
	const char *listen;         /* [HOST][:PORT], or NULL: 127.0.0.1:5000 */
	const char *url;            /* how nodes reach it, for the settings; or NULL: as it listens */
	const char *certificate;    /* PEM file: TLS; or NULL */
	const char *key;            /* its key, or NULL: in the same file */
	const char *users;          /* htpasswd file, or NULL: everybody may pull */
	const char *log;            /* file that the access log is added to, or NULL */
	bool no_verify;
	const struct events *events;
};
/* Until the process is asked to stop: that is success. */
int flow_serve(const struct serve_options *o, struct err *e);
/* The settings that make containerd, docker or podman ask it first; what to do with them is an EVENT_NOTE. */
int flow_serve_config(const struct serve_options *o, const char *client, struct buf *out, struct err *e);

/* login and logout. `registry` NULL: docker.io. *where: the file or helper (512 bytes). */
int flow_login(const char *registry, const struct credential *c, const struct connect_options *connect,
	       const struct events *events, char where[512], struct err *e);
int flow_logout(const char *registry, bool *found, char where[512], struct err *e);

#endif
