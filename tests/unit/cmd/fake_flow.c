/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cmd/fake_flow.h"

#include "base/cancel.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct fake_flow fake = { .diary = -1, .images = 2 };

void fake_reset(void)
{
	fake = (struct fake_flow){ .diary = -1, .images = 2 };
}

static char *copy(const char *text)
{
	char *c = text ? strdup(text) : NULL;

	assert(c || !text);
	return c;
}

static void *zeroed(size_t count, size_t size)
{
	void *p = calloc(count + 1, size);

	assert(p);
	return p;
}

static struct digest digest_filled(int byte)
{
	struct digest d;

	memset(d.raw, byte, sizeof(d.raw));
	return d;
}

void fake_images(struct flow_images *out, size_t count)
{
	static const char *const names[] = { "docker.io/library/nginx:1.27",
					     "quay.io/prometheus-operator/prometheus-config-reloader:v0.79.2" };
	static const char *const platforms[] = { "linux/amd64", "linux/arm64", "linux/arm/v7" };
	static const char *const types[] = { "application/vnd.oci.image.layer.v1.tar+gzip",
					     "application/vnd.oci.image.layer.v1.tar+zstd",
					     "application/vnd.oci.image.layer.v1.tar" };

	out->items = zeroed(count, sizeof(*out->items));
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		struct flow_image *image = &out->items[i];
		image->name = fake.nameless ? NULL : copy(i == 0 && fake.name ? fake.name : names[i % 2]);
		image->digest = digest_filled((int)(0x10 + i));
		image->platform_count = i % 2 ? 3 : 1;
		image->platforms = zeroed(3, sizeof(*image->platforms));
		for (size_t p = 0; p < image->platform_count; p++)
			image->platforms[p] = (struct flow_platform){ copy(platforms[p]),
								      digest_filled((int)(0x20 + p)) };
		image->layer_count = 3;
		image->layers = zeroed(3, sizeof(*image->layers));
		for (size_t l = 0; l < 3; l++)
			image->layers[l] = (struct flow_layer){ .digest = digest_filled((int)(0x30 + l)),
								.bytes = 31400000 * (l + 1),
								.media_type = copy(types[l]) };
		image->bytes = 188400000;
		image->created = copy("2026-01-02T03:04:05Z");
	}
}

void fake_images_release(struct flow_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		struct flow_image *image = &images->items[i];
		for (size_t p = 0; p < image->platform_count; p++)
			free(image->platforms[p].name);
		for (size_t l = 0; l < image->layer_count; l++)
			free(image->layers[l].media_type);
		free(image->platforms);
		free(image->layers);
		free(image->name);
		free(image->created);
	}
	free(images->items);
	*images = (struct flow_images){ 0 };
}

static void write_down(struct buf *line)
{
	assert(buf_puts(line, "\n", NULL) == 0);
	if (fake.diary >= 0)
		assert(write(fake.diary, line->data, line->len) == (ssize_t)line->len);
}

static void put_list(struct buf *line, const char *key, const char *const *items, size_t count)
{
	for (size_t i = 0; items && i < count && items[i]; i++)
		assert(buf_printf(line, NULL, " %s=%s", key, items[i]) == 0);
}

static void put(struct buf *line, const char *key, const char *value)
{
	if (value)
		put_list(line, key, &value, 1);
}

static void put_flag(struct buf *line, const char *key, bool on)
{
	if (on)
		put(line, key, "yes");
}

static void put_connect(struct buf *line, const struct connect_options *c)
{
	if (c->connections)
		assert(buf_printf(line, NULL, " connections=%zu", c->connections) == 0);
	put_list(line, "plain_http", c->plain_http, SIZE_MAX);
	put(line, "cacert", c->cacert);
	if (!c->credential)
		return;
	put(line, "user", c->credential->username);
	put(line, "password", c->credential->password);
}

static void put_platform(struct buf *line, const struct platform *p)
{
	char text[PLATFORM_TEXT_SIZE];

	put(line, "platform", platform_text(p, text));
}

/* What every flow does: events, waiting, failing. */
static int act(const struct events *events, struct err *e)
{
	event_text(events, EVENT_NOTE, "a note");
	event_text(events, EVENT_DETAIL, "a detail");
	if (fake.warning)
		event_text(events, EVENT_WARNING, "%s", fake.warning);
	if (fake.events) {
		event_emit(events, &(struct event){ .kind = EVENT_PLAN,
						    .total = 1000000 * fake.events,
						    .count = fake.events,
						    .text = "fetching" });
	}
	for (size_t i = 0; i < fake.events; i++) {
		event_begin(events, i, 1000000, "sha256:%012zx layer", i);
		event_progress(events, i, 500000, 1000000);
		event_end(events, i, "done");
	}
	while (fake.wait_for_signal) {
		const struct timespec nap = { 0, 2000000 };
		if (cancel_check(e))
			return -1;
		(void)nanosleep(&nap, NULL);
	}
	return fake.fail ? err_set(e, fake.fail, "%s", fake.fail_text ? fake.fail_text : "it failed") : 0;
}

static int json(struct buf *out, struct err *e)
{
	return buf_puts(out, "{\"fake\":true}\n", e);
}

bool fetch_to_stdout(const struct fetch_options *o)
{
	return o->output && !strcmp(o->output, "-");
}

const char *flow_archive_noun(const char *path, char shown[160])
{
	return strcmp(path, "-") ? text_escape_str(shown, 160, path) : "standard input";
}

static void fake_forecast(struct fetch_report *r)
{
	struct forecast *f = zeroed(1, sizeof(*f));

	f->images = zeroed(r->images.count, sizeof(*f->images));
	for (size_t i = 0; i < r->images.count; i++)
		f->images[i].download = i ? 62800000 : 157000000;
	f->download_bytes = 219800000;
	f->there_bytes = 31400000;
	r->left_out = 2;
	r->left_out_bytes = 125600000;
	f->here_bytes = 376900000;
	f->load_bytes = 376700000;
	f->folder = copy("/media/st\x1b[2Jick");
	f->free_known = true;
	f->free_bytes = 97000000;
	f->pulls = zeroed(3, sizeof(*f->pulls));
	f->pulls[f->pull_count++] = (struct flow_pulls){
		.host = copy("docker.io"), .manifests = 12, .known = true, .left = 76, .limit = 100, .window = 21600
	};
	f->pulls[f->pull_count++] = (struct flow_pulls){ .host = copy("quay.io"), .manifests = 3 };
	f->pulls[f->pull_count++] = (struct flow_pulls){
		.host = copy("hub"), .manifests = 3, .known = true, .left = 2
	};
	r->forecast = f;
}

struct fetch_report *flow_fetch(const struct fetch_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "fetch", NULL) == 0);
	put_list(&line, "ref", o->references, o->reference_count);
	for (size_t i = 0; i < o->platform_count; i++)
		put_platform(&line, &o->platforms[i]);
	put_flag(&line, "all", o->all_platforms);
	put_flag(&line, "plan", o->plan_only);
	put(&line, "output", o->output);
	put_list(&line, "map", o->maps, SIZE_MAX);
	put_connect(&line, &o->connect);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	struct fetch_report *r = zeroed(1, sizeof(*r));
	r->archive = copy(o->output);
	r->id = digest_filled(0xab);
	r->bytes = 376800000;
	r->downloaded_bytes = 376000000;
	fake_images(&r->images, fake.images);
	if (o->plan_only)
		fake_forecast(r);
	return r;
}

void forecast_free(struct forecast *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->pull_count; i++)
		free(f->pulls[i].host);
	free(f->pulls);
	free(f->images);
	free(f->folder);
	free(f);
}

void fetch_report_free(struct fetch_report *r)
{
	if (!r)
		return;
	forecast_free(r->forecast);
	fake_images_release(&r->images);
	free(r->archive);
	free(r);
}

int fetch_report_json(const struct fetch_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct check_report *flow_check(const struct check_options *o, struct err *e)
{
	static const char *const why[] = { "has zstd layers", "in one tool only" };
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "check", NULL) == 0);
	put_list(&line, "path", o->archive.items, o->archive.count);
	put_list(&line, "target", o->targets, SIZE_MAX);
	if (o->platform)
		put_platform(&line, o->platform);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	struct check_report *r = zeroed(1, sizeof(*r));
	r->archive = copy(o->archive.items[0]);
	r->targets = zeroed(2, sizeof(*r->targets));
	r->count = 2;
	for (size_t i = 0; i < 2; i++) {
		struct check_target *t = &r->targets[i];
		*t = (struct check_target){ .name = i ? "docker28" : "docker20", .about = "a docker", .count = 1 };
		t->loads = i || !fake.problems;
		t->findings = zeroed(1, sizeof(*t->findings));
		t->findings[0] = (struct check_finding){
			.images = 3, .refuses = true, .own_tool = t->loads, .why = why[i]
		};
		t->findings[0].image = copy("quay.io/\033[2Jx:1");
	}
	return r;
}

void check_report_free(struct check_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->targets[i].findings[0].image);
		free(r->targets[i].findings);
	}
	free(r->targets);
	free(r->archive);
	free(r);
}

int check_report_json(const struct check_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct convert_report *flow_convert(const struct convert_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "convert", NULL) == 0);
	put_list(&line, "path", o->from.items, o->from.count);
	put(&line, "output", o->to.output);
	put_list(&line, "name", o->names, SIZE_MAX);
	if (o->to.split)
		assert(buf_printf(&line, NULL, " split=%llu parity=%zu", (unsigned long long)o->to.split,
				  o->to.parity) == 0);
	write_down(&line);
	if (act(o->to.events, e))
		return NULL;
	struct convert_report *r = zeroed(1, sizeof(*r));
	r->written = zeroed(1, sizeof(*r->written));
	r->written->archive = copy(o->to.output);
	r->written->id = digest_filled(0xab);
	r->written->bytes = 376800000;
	fake_images(&r->written->images, fake.images);
	r->unproved = zeroed(1, sizeof(*r->unproved));
	r->unproved[0] = copy("layers of \033[31mred:1 have no digest");
	r->unproved_count = 1;
	return r;
}

void convert_report_free(struct convert_report *r)
{
	if (!r)
		return;
	fetch_report_free(r->written);
	free(r->unproved[0]);
	free(r->unproved);
	free(r);
}

int convert_report_json(const struct convert_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct only_report *flow_fetch_only(const struct fetch_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "fetch", NULL) == 0);
	put_list(&line, "ref", o->references, o->reference_count);
	put(&line, "only", o->only);
	put(&line, "output", o->output);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	struct only_report *r = zeroed(1, sizeof(*r));
	r->output = copy(o->output);
	r->id = digest_filled(0xab);
	r->blocks = 3;
	r->block_bytes = 12300000;
	return r;
}

void only_report_free(struct only_report *r)
{
	if (!r)
		return;
	free(r->output);
	free(r);
}

int only_report_json(const struct only_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct wants_report *flow_wants(const struct wants_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "wants", NULL) == 0);
	put_list(&line, "path", o->paths.items, o->paths.count);
	put(&line, "output", o->output);
	put_flag(&line, "no_parity", o->no_parity);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	struct wants_report *r = zeroed(1, sizeof(*r));
	r->blocks = 3;
	r->bytes = 12300000;
	assert(buf_puts(&r->list, "the list\n", NULL) == 0);
	r->files = zeroed(1, sizeof(*r->files));
	r->files[0] = (struct wants_file){ copy("x.tar.\x1b[2J003"), true, 12300000 };
	r->file_count = 1;
	return r;
}

void wants_report_free(struct wants_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->file_count; i++)
		free(r->files[i].name);
	free(r->files);
	buf_release(&r->list);
	free(r);
}

int wants_report_json(const struct wants_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct scan_report *flow_scan(const struct scan_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "scan", NULL) == 0);
	put_list(&line, "path", o->paths, o->path_count);
	write_down(&line);
	return act(o->events, e) ? NULL : zeroed(1, sizeof(struct scan_report));
}

void scan_report_free(struct scan_report *r)
{
	free(r);
}

int scan_report_json(const struct scan_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

static struct verify_report *papers(const char *path)
{
	struct verify_report *r = zeroed(1, sizeof(*r));

	r->archive = copy(path);
	r->format = copy("imgpack archive");
	r->compression = copy("none");
	r->has_id = true;
	r->id = digest_filled(0xab);
	r->bytes = 376800000;
	r->blobs = 14;
	r->blob_bytes = 376000000;
	fake_images(&r->images, fake.images);
	r->unproved = zeroed(1, sizeof(*r->unproved));
	r->unproved[r->unproved_count++] = copy("layers of \x1b[31mred:1 have no diff IDs");
	return r;
}

struct verify_report *flow_verify(const struct archive_paths *paths, bool diff_ids, const struct events *events,
				  struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "verify", NULL) == 0);
	put_list(&line, "path", paths->items, paths->count);
	put_flag(&line, "diff_ids", diff_ids);
	write_down(&line);
	if (act(events, e) && e->kind != ERR_CORRUPT)
		return NULL;
	struct verify_report *r = papers(paths->items[0]);
	r->problems = zeroed(fake.problems, sizeof(*r->problems));
	for (size_t i = 0; i < fake.problems; i++) {
		r->problems[i] = (struct flow_problem){
			.chunk = copy(paths->items[0]),
			.offset = 4096 * i,
			.length = 512,
			.member = copy("blobs/sha256/aa"),
			.image = copy("quay.io/x:1"),
			.what = copy("is not its digest"),
		};
		r->problem_count++;
	}
	if (fake.problems)
		err_set(e, ERR_CORRUPT, "%s: the first problem", paths->items[0]);
	return r;
}

struct verify_report *flow_inspect(const struct archive_paths *paths, const struct events *events, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "inspect", NULL) == 0);
	put_list(&line, "path", paths->items, paths->count);
	write_down(&line);
	return act(events, e) ? NULL : papers(paths->items[0]);
}

void verify_report_free(struct verify_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->problem_count; i++) {
		free(r->problems[i].chunk);
		free(r->problems[i].member);
		free(r->problems[i].image);
		free(r->problems[i].what);
	}
	for (size_t i = 0; i < r->unproved_count; i++)
		free(r->unproved[i]);
	fake_images_release(&r->images);
	free(r->problems);
	free(r->unproved);
	free(r->archive);
	free(r->format);
	free(r->compression);
	free(r);
}

int verify_report_json(const struct verify_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

struct repair_report *flow_repair(const struct repair_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "repair", NULL) == 0);
	put_list(&line, "path", o->paths.items, o->paths.count);
	put(&line, "folder", o->folder);
	write_down(&line);
	if (act(o->events, e) && e->kind != ERR_CORRUPT)
		return NULL;
	struct repair_report *r = zeroed(1, sizeof(*r));
	r->archive = copy("x.tar");
	r->chunks = 3;
	r->parity = 1;
	r->problems = zeroed(fake.problems, sizeof(*r->problems));
	r->repaired = zeroed(fake.problems, sizeof(*r->repaired));
	for (size_t i = 0; i < fake.problems; i++) {
		r->problems[i] = (struct flow_problem){
			.chunk = copy("d/x.tar.002"), .offset = 4096 * i, .length = 512, .what = copy("is damaged")
		};
		r->problem_count++;
		if (e->kind != ERR_NONE)
			continue;
		r->repaired[i] = (struct fetch_file){ copy("d/\x1b[31mx.tar.002.repaired"), 4096, digest_filled(0xab) };
		r->repaired_count++;
	}
	return r;
}

void repair_report_free(struct repair_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->problem_count; i++) {
		free(r->problems[i].chunk);
		free(r->problems[i].what);
	}
	for (size_t i = 0; i < r->repaired_count; i++)
		free(r->repaired[i].file);
	free(r->problems);
	free(r->repaired);
	free(r->archive);
	free(r);
}

int repair_report_json(const struct repair_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

static struct load_report *one_loaded(const char *target)
{
	struct load_report *r = zeroed(1, sizeof(*r));

	r->target = copy(target);
	r->images = zeroed(1, sizeof(*r->images));
	r->images[0] = (struct load_report_image){ fake.nameless ? NULL : copy("quay.io/x:1"), digest_filled(0x10),
						   copy("reg.local/quay\x1b[2J:1"), 12400000, false };
	r->count = 1;
	r->sent_bytes = 12300000;
	return r;
}

struct load_report *flow_copy(const struct copy_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "copy", NULL) == 0);
	put_list(&line, "src", o->sources, o->source_count);
	put(&line, "dst", o->destination);
	put(&line, "to", o->to);
	put_flag(&line, "replace", o->replace);
	put_flag(&line, "plan", o->plan_only);
	for (size_t i = 0; i < o->platform_count; i++)
		put_platform(&line, &o->platforms[i]);
	put_list(&line, "name", o->names, SIZE_MAX);
	put_list(&line, "map", o->maps, SIZE_MAX);
	put_connect(&line, &o->connect);
	write_down(&line);
	return act(o->events, e) ? NULL : one_loaded(o->to ? o->to : "registry:reg.local");
}

int flow_serve(const struct serve_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "serve", NULL) == 0);
	put_list(&line, "path", o->paths.items, o->paths.count);
	put(&line, "listen", o->listen);
	put(&line, "cert", o->certificate);
	put(&line, "key", o->key);
	put(&line, "users", o->users);
	put(&line, "log", o->log);
	put(&line, "no_verify", o->no_verify ? "yes" : NULL);
	write_down(&line);
	return act(o->events, e);
}

int flow_serve_config(const struct serve_options *o, const char *client, struct buf *out, struct err *e)
{
	if (act(o->events, e))
		return -1;
	return buf_printf(out, e, "settings of %s for %s, %zu archives\n", client, o->url ? o->url : "here",
			  o->paths.count);
}

struct load_report *flow_load(const struct load_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "load", NULL) == 0);
	put_list(&line, "path", o->archive.items, o->archive.count);
	put(&line, "to", o->to);
	put_flag(&line, "replace", o->replace);
	if (o->platform)
		put_platform(&line, o->platform);
	put_list(&line, "name", o->names, SIZE_MAX);
	put_list(&line, "map", o->maps, SIZE_MAX);
	put(&line, "expect", o->expect);
	put_connect(&line, &o->connect);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	return one_loaded(o->to ? o->to : "docker");
}

void load_report_free(struct load_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->images[i].name);
		free(r->images[i].loaded_as);
	}
	free(r->images);
	free(r->target);
	free(r);
}

int load_report_json(const struct load_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}

int flow_login(const char *registry, const struct credential *c, const struct connect_options *connect,
	       const struct events *events, char where[512], struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "login", NULL) == 0);
	put(&line, "registry", registry);
	put(&line, "user", c->username);
	put(&line, "password", c->password);
	put_flag(&line, "connect_has_credential", connect->credential != NULL);
	put_list(&line, "plain_http", connect->plain_http, SIZE_MAX);
	put(&line, "cacert", connect->cacert);
	write_down(&line);
	(void)snprintf(where, 512, "/home/me/.docker/config.json");
	return act(events, e);
}

int flow_logout(const char *registry, bool *found, char where[512], struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "logout", NULL) == 0);
	put(&line, "registry", registry);
	write_down(&line);
	*found = !fake.nameless;
	(void)snprintf(where, 512, "docker-credential-pass");
	return act(NULL, e);
}

struct inventory_report *flow_inventory(const struct inventory_options *o, struct err *e)
{
	AUTO_BUF line = { 0 };

	assert(buf_puts(&line, "inventory", NULL) == 0);
	put_list(&line, "place", o->places, o->count);
	put(&line, "output", o->output);
	put_connect(&line, &o->connect);
	write_down(&line);
	if (act(o->events, e))
		return NULL;
	struct inventory_report *r = zeroed(1, sizeof(*r));
	r->blobs = 312;
	r->chains = 1;
	r->output = copy(o->output);
	assert(buf_puts(&r->list, "the list\n", NULL) == 0);
	return r;
}

void inventory_report_free(struct inventory_report *r)
{
	if (!r)
		return;
	buf_release(&r->list);
	free(r->output);
	free(r);
}

int inventory_report_json(const struct inventory_report *r, struct buf *out, struct err *e)
{
	(void)r;
	return json(out, e);
}
