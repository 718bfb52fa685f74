/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/dockerconfig.h"

#include "base/limits.h"
#include "base/text.h"
#include "registry/jsonedit.h"
#include "registry/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct dockerconfig {
	char *path; /* as it is named to the user */
	struct buf text;
	struct jdoc *doc; /* NULL: nothing there */
};

void dockerconfig_free(struct dockerconfig *d)
{
	if (!d)
		return;
	jdoc_free(d->doc);
	secret_release(&d->text);
	free(d->path);
	free(d);
}

const char *dockerconfig_path(const struct dockerconfig *d)
{
	return d->path;
}

const struct jval *dockerconfig_root(const struct dockerconfig *d)
{
	return d->doc ? jdoc_root(d->doc) : NULL;
}

static int find_path(char **out, struct err *e)
{
	const char *folder = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");
	int n;

	if (folder && *folder) {
		n = asprintf(out, "%s/config.json", folder);
	} else {
		if (!home || !*home) {
			struct passwd pw;
			struct passwd *found = NULL;
			char room[4096];
			if (getpwuid_r(getuid(), &pw, room, sizeof(room), &found) || !found)
				return err_set(e, ERR_LOCAL,
					       "neither DOCKER_CONFIG nor HOME says where docker's "
					       "config.json is");
			n = asprintf(out, "%s/.docker/config.json", found->pw_dir);
		} else {
			n = asprintf(out, "%s/.docker/config.json", home);
		}
	}
	if (n < 0) {
		*out = NULL;
		return err_memory(e);
	}
	return 0;
}

static int read_text(int fd, size_t size, struct buf *out, struct err *e)
{
	if (buf_reserve(out, size + 1, e))
		return -1;
	for (;;) {
		ssize_t n = read(fd, out->data + out->len, out->capacity - 1 - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "cannot read");
		if (n == 0)
			break;
		out->len += (size_t)n;
		if (out->len > LIMIT_CREDENTIALS || out->len + 1 >= out->capacity)
			return err_set(e, ERR_LOCAL, "is larger than %u bytes, or grows", LIMIT_CREDENTIALS);
	}
	out->data[out->len] = '\0';
	return 0;
}

static int read_file(struct dockerconfig *d, struct err *e)
{
	struct err failure = { 0 };
	struct stat st;

	assert(d->path); /* find the path first */
	AUTO_FD int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_LOCAL, "is not a regular file");
	if (st.st_size > (off_t)LIMIT_CREDENTIALS)
		return err_set(e, ERR_LOCAL, "is larger than %u bytes", LIMIT_CREDENTIALS);
	if (read_text(fd, (size_t)st.st_size, &d->text, e))
		return -1;
	if (!d->text.data || strspn(d->text.data, " \t\r\n") == d->text.len) {
		buf_clear(&d->text);
		return 0;
	}
	/* The parser's message may quote what stands at the fault, and that may be a password. */
	d->doc = jdoc_parse(d->text.data, d->text.len, &failure);
	if (failure.sys == ENOMEM)
		return err_memory(e);
	if (!d->doc || !jval_is_object(jdoc_root(d->doc)))
		return err_set(e, ERR_LOCAL,
			       "is not the JSON object that docker would read (broken, or a name stands in it "
			       "twice); repair it, jq shows where");
	return 0;
}

struct dockerconfig *dockerconfig_load(struct err *e)
{
	AUTO(dockerconfig) d = calloc(1, sizeof(*d));
	char shown[256];

	if (!d) {
		err_memory(e);
		return NULL;
	}
	if (find_path(&d->path, e))
		return NULL;
	if (read_file(d, e)) {
		err_at(e, "%s", text_escape_str(shown, sizeof(shown), d->path));
		return NULL;
	}
	return TAKE(d);
}

/* Changing. */

/* The place of `key` among an object's members, or SIZE_MAX. */
static size_t place_of(const struct jval *object, const char *key)
{
	const struct jval *value;

	for (size_t i = 0; i < jval_count(object); i++)
		if (!strcmp(jval_key_at(object, i, &value), key))
			return i;
	return SIZE_MAX;
}

/* `auths` is not there, or null: the whole object is made. */
static int add_auths(const char *text, size_t len, size_t place, const char *key, const char *entry, struct buf *out,
		     struct err *e)
{
	AUTO_SECRET auths = { 0 };
	struct member m;

	if (jsonedit_append("{}", 2, 0, 2, key, entry, &auths, e))
		return -1;
	if (jsonedit_member(text, len, 0, place, &m))
		return jsonedit_replace(text, len, m.value, auths.data, out, e);
	return jsonedit_append(text, len, 0, 1, "auths", auths.data, out, e);
}

static int edit(const struct dockerconfig *d, const char *key, const char *entry, struct buf *out, struct err *e)
{
	const struct jval *root = dockerconfig_root(d);
	const struct jval *auths = jval_get(root, "auths");
	const char *text = d->doc ? d->text.data : "{}\n";
	size_t len = d->doc ? d->text.len : 3;
	size_t place = place_of(root, "auths");
	struct member whole;
	struct member old;

	if (!jval_is_null(auths) && !jval_is_object(auths))
		return err_set(e, ERR_LOCAL, "\"auths\" is not an object");
	size_t at = place_of(auths, key);
	if (!entry && at == SIZE_MAX)
		return secret_add(out, text, len, e);
	if (jval_is_null(auths))
		return add_auths(text, len, place, key, entry, out, e);
	if (!jsonedit_member(text, len, 0, place, &whole))
		return err_set(e, ERR_LOCAL, "\"auths\" cannot be found again");
	if (at == SIZE_MAX)
		return jsonedit_append(text, len, whole.value.from, 2, key, entry, out, e);
	if (!entry)
		return jsonedit_remove(text, len, whole.value.from, at, out, e);
	if (!jsonedit_member(text, len, whole.value.from, at, &old))
		return err_set(e, ERR_LOCAL, "the entry cannot be found again");
	return jsonedit_replace(text, len, old.value, entry, out, e);
}

/* Makes the folder of `path` and what is missing above it, for the owner alone. */
static int make_folder(const char *path, struct err *e)
{
	AUTO_MEM char *folder = strdup(path);

	if (!folder)
		return err_memory(e);
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (!mkdir(folder, 0700) || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, ERR_LOCAL, errno, "cannot make its folder");
	if (make_folder(folder, e))
		return -1;
	return mkdir(folder, 0700) && errno != EEXIST ? err_sys(e, ERR_LOCAL, errno, "cannot make its folder") : 0;
}

/* The file to be replaced: the one itself, not a link that points at it. */
static char *real_path(const char *path, struct err *e)
{
	char *real = realpath(path, NULL);
	struct stat st;

	if (real)
		return real;
	if (errno != ENOENT) {
		err_sys(e, ERR_LOCAL, errno, "cannot be followed to its file");
		return NULL;
	}
	if (!lstat(path, &st)) {
		err_set(e, ERR_LOCAL, "is a symbolic link to a file that does not exist");
		return NULL;
	}
	if (make_folder(path, e))
		return NULL;
	real = strdup(path);
	if (!real)
		err_memory(e);
	return real;
}

static int write_and_sync(int fd, const struct buf *text, struct err *e)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, ERR_LOCAL, n ? errno : EIO, "cannot write beside it");
		done += (size_t)n;
	}
	return fsync(fd) ? err_sys(e, ERR_LOCAL, errno, "cannot sync") : 0;
}

static int sync_folder(const char *path, struct err *e)
{
	AUTO_MEM char *folder = strdup(path);

	if (!folder)
		return err_memory(e);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	AUTO_FD int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? err_sys(e, ERR_LOCAL, errno, "cannot sync its folder") : 0;
}

/* Commit or vanish. Whoever owned the file keeps it: root may run this for another user's home. */
static int replace_file(const char *real, const struct buf *text, struct err *e)
{
	AUTO_MEM char *beside = NULL;
	struct stat st;
	int rc = 0;

	if (asprintf(&beside, "%s.XXXXXX", real) < 0) {
		beside = NULL;
		return err_memory(e);
	}
	int fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot make a file beside it");
	if (!stat(real, &st) && (st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid))
		rc = err_sys(e, ERR_LOCAL, errno, "belongs to another user and cannot be given back to him");
	if (!rc)
		rc = write_and_sync(fd, text, e);
	if (close(fd) && !rc)
		rc = err_sys(e, ERR_LOCAL, errno, "cannot close the file beside it");
	if (!rc && rename(beside, real))
		rc = err_sys(e, ERR_LOCAL, errno, "cannot be replaced");
	if (rc) {
		(void)unlink(beside);
		return -1;
	}
	return sync_folder(real, e);
}

int dockerconfig_set_auth(struct dockerconfig *d, const char *key, const char *entry, struct err *e)
{
	AUTO_SECRET text = { 0 };
	AUTO_MEM char *real = NULL;
	char shown[256];

	text_escape_str(shown, sizeof(shown), d->path);
	if (edit(d, key, entry, &text, e))
		return err_at(e, "%s", shown);
	real = real_path(d->path, e);
	if (!real || replace_file(real, &text, e))
		return err_at(e, "%s", shown);
	return 0;
}
