/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/medium.h"

#include "base/own.h"
#include "base/text.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#ifndef EXFAT_SUPER_MAGIC
#define EXFAT_SUPER_MAGIC 0x2011BAB0
#endif
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of a partition the disk says it, one folder higher. USB disks call themselves fixed, and are pulled out all the same.
 */
static bool device_is_removable(dev_t device)
{
	char path[128];
	char where[4096];
	char flag = '0';

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	ssize_t n = readlink(path, where, sizeof(where) - 1);
	if (n > 0) {
		where[n] = '\0';
		if (strstr(where, "/usb"))
			return true;
	}
	for (int up = 0; up < 2; up++) {
		(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%sremovable", major(device), minor(device),
			       up ? "../" : "");
		AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, &flag, 1) == 1)
			break;
	}
	return flag == '1';
}

void medium_look(struct medium *out, const char *path)
{
	AUTO_MEM char *folder = base_name(path) == path ? strdup(".") : strndup(path, (size_t)(base_name(path) - path));
	struct statfs fs;
	struct stat st;

	*out = (struct medium){ 0 };
	if (!folder || statfs(folder, &fs) || stat(folder, &st))
		return;
	const unsigned long type = (unsigned long)fs.f_type & UINT32_MAX;
	out->fat = type == MSDOS_SUPER_MAGIC;
	out->removable = out->fat || type == EXFAT_SUPER_MAGIC || type == FUSE_SUPER_MAGIC ||
			 device_is_removable(st.st_dev);
}

/* "con", "CON.tar", "com1": names of devices to Windows, whatever follows the first dot. */
static bool is_device(const char *name)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul" };
	const size_t len = strcspn(name, ".");

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (len == 3 && !strncasecmp(name, devices[i], 3))
			return true;
	return len == 4 && (!strncasecmp(name, "com", 3) || !strncasecmp(name, "lpt", 3)) && name[3] >= '1' &&
	       name[3] <= '9';
}

const char *medium_refuses_name(const char *path)
{
	const char *name = base_name(path);
	const size_t len = strlen(name);

	if (strpbrk(name, "<>:\"\\|?*"))
		return "a character of <>:\"\\|?*";
	for (const char *p = name; *p; p++)
		if (iscntrl((unsigned char)*p))
			return "a control character";
	if (len && (name[len - 1] == '.' || name[len - 1] == ' '))
		return "a dot or a space at its end";
	return is_device(name) ? "the name of a device" : NULL;
}

int medium_check(const struct medium *m, const char *path, uint64_t largest, bool split, const struct events *events,
		 struct err *e)
{
	const char *refused = medium_refuses_name(path);
	char shown[160];
	char size[TEXT_SIZE_CAP];

	if (refused)
		event_text(events, EVENT_WARNING, "%s: Windows, FAT and exFAT refuse this file name: it has %s",
			   text_escape_str(shown, sizeof(shown), base_name(path)), refused);
	if (!m->fat || largest <= MEDIUM_FAT_MOST)
		return 0;
	err_set(e, ERR_LOCAL, "would be a file of %s; this is a FAT file system, where a file has 4 GiB - 1 at most",
		text_size(size, largest));
	return err_hint(e, split ? "take smaller chunks: --split fat32" : "cut it into chunks: --split fat32");
}
