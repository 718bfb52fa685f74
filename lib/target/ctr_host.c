/* SPDX-License-Identifier: Apache-2.0 */
#include "target/ctr_host.h"

#include "base/own.h"
#include "base/text.h"
#include "stream/process.h"
#include "target/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* k3s and RKE2 share theirs. */
static const char *const usual[] = { "/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock" };

const char *ctr_host_socket(const char *path)
{
	const char *named = getenv("CONTAINERD_ADDRESS");

	if (!path && named && *named)
		path = text_starts(named, "unix://") ? named + strlen("unix://") : named;
	for (size_t i = 0; !path && i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!access(usual[i], F_OK))
			path = usual[i];
	return path ? path : usual[0];
}

int ctr_host_ping(const char *path, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char shown[160];

	text_escape_str(shown, sizeof(shown), path);
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_USAGE, "%s: the path is longer than a socket's may be", shown);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot make a socket");
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	int sys = errno;
	err_sys(e, ERR_NETWORK, sys, "%s: no containerd answers", shown);
	if (sys == EACCES || sys == EPERM)
		return err_hint(e, "only root may use containerd's socket: use sudo");
	if (sys == ECONNREFUSED)
		return err_hint(e, "is containerd running?");
	return err_hint(e, "is containerd installed and running? --to containerd:SOCKET names another socket");
}

int ctr_host_client(const char *words[2], struct err *e)
{
	static const char rke2[] = "/var/lib/rancher/rke2/bin/ctr";

	words[1] = NULL;
	if (process_exists("ctr")) {
		words[0] = "ctr";
	} else if (process_exists("k3s")) {
		words[0] = "k3s";
		words[1] = "ctr";
	} else if (!access(rke2, X_OK)) {
		words[0] = rke2;
	} else {
		return err_set(e, ERR_LOCAL,
			       "containerd is loaded through its client, ctr or k3s, and neither is in PATH; install "
			       "it, or use --to docker, --to registry:HOST or --to oci:DIR");
	}
	return 0;
}

bool target_containerd_answers(const char *path, char where[256])
{
	struct err why = { 0 };
	const char *words[2];

	path = ctr_host_socket(path);
	(void)text_escape_str(where, 256, path);
	return !ctr_host_ping(path, &why) && !ctr_host_client(words, &why);
}
