/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that are nothing but content by digest: containerd's, and an OCI image layout. */
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "stream/process.h"
#include "target/ctr_host.h"
#include "target/have.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One digest a line. */
static int read_lines(const struct buf *text, struct inventory *v, struct err *e)
{
	struct digest d;

	for (size_t at = 0; at < text->len;) {
		const size_t n = strcspn(text->data + at, " \t\r\n");
		if (n && !digest_parse(&d, text->data + at, n, NULL) && inventory_add(v, HAVE_BLOB, &d, e))
			return -1;
		at += n + 1;
	}
	return 0;
}

int target_containerd_have(const char *socket, const char *space, struct inventory *v, struct have_found *found,
			   struct err *e)
{
	const char *path = ctr_host_socket(socket);
	const char *client[2];
	const char *arguments[] = { NULL, "-a", path, "-n", space, "content", "ls", "-q", NULL };
	AUTO_BUF out = { 0 };
	AUTO_BUF errors = { 0 };
	char shown[LIMIT_ERROR_SHOWN / 2];
	int status = 0;

	if (ctr_host_ping(path, e) || ctr_host_client(client, e))
		return -1;
	arguments[0] = client[1];
	const struct process_run run = {
		.program = client[0],
		.arguments = client[1] ? arguments : arguments + 1,
		.max_output = LIMIT_INVENTORY,
		.seconds = LIMIT_DOCKER_SILENCE,
		.errors = &errors,
	};
	text_escape_str(shown, sizeof(shown), path);
	(void)snprintf(found->where, sizeof(found->where), "%.160s, namespace %s", shown, space);
	found->kind = "containerd";
	if (process_run(&run, &out, &status, e))
		return err_at(e, "%s content ls", client[0]);
	if (status)
		return err_set(e, ERR_TARGET, "%s content ls ended with code %d: %s", client[0], status,
			       text_escape(shown, sizeof(shown), errors.len ? errors.data : "",
					   errors.len ? strcspn(errors.data, "\r\n") : 0));
	return read_lines(&out, v, e);
}

struct folder {
	DIR *dir;
};
static void folder_release(struct folder *f)
{
	if (f->dir)
		(void)closedir(f->dir);
}

int target_oci_have(const char *folder, struct inventory *v, struct have_found *found, struct err *e)
{
	__attribute__((cleanup(folder_release))) struct folder f = { NULL };
	AUTO_BUF path = { 0 };
	struct digest d;
	struct stat st;
	struct dirent *entry;

	text_escape_str(found->where, sizeof(found->where), folder);
	found->kind = "an OCI image layout";
	if (buf_printf(&path, e, "%s/blobs/sha256", folder))
		return -1;
	f.dir = opendir(path.data);
	if (!f.dir) {
		err_sys(e, ERR_LOCAL, errno, "%s/blobs/sha256", found->where);
		return err_hint(e, "oci:DIR is the folder of an OCI image layout");
	}
	while ((entry = readdir(f.dir)))
		if (digest_parse_hex(&d, entry->d_name, strlen(entry->d_name)) &&
		    !fstatat(dirfd(f.dir), entry->d_name, &st, 0) && S_ISREG(st.st_mode) &&
		    inventory_add(v, HAVE_BLOB, &d, e))
			return -1;
	return 0;
}
