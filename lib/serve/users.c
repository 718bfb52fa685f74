/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/users.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define REMEMBERED 64

struct user {
	char *name;
	char *hash;
};

struct users {
	struct user *items;
	size_t count, capacity;
	uint8_t key[32];
	pthread_mutex_t memory_lock;
	struct digest right[REMEMBERED];
	size_t right_count;
	pthread_mutex_t crypt_lock;
	struct crypt_data crypt;
};

void users_free(struct users *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->count; i++) {
		free(u->items[i].name);
		free(u->items[i].hash);
	}
	free(u->items);
	pthread_mutex_destroy(&u->memory_lock);
	pthread_mutex_destroy(&u->crypt_lock);
	explicit_bzero(&u->crypt, sizeof(u->crypt));
	free(u);
}

static bool hash_known(const char *hash)
{
	static const char *const kinds[] = { "$2y$", "$2b$", "$2a$", "$5$", "$6$", "$y$" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_starts(hash, kinds[i]))
			return true;
	return false;
}

/* `line` is changed. */
static int add_user(struct users *u, char *line, struct err *e)
{
	char *colon = strchr(line, ':');

	if (!colon || colon == line)
		return err_set(e, ERR_USAGE, "expected USER:HASH, as `htpasswd -B` writes it");
	*colon = '\0';
	if (!hash_known(colon + 1))
		return err_set(e, ERR_USAGE,
			       "its hash is none of bcrypt, SHA-crypt and yescrypt; make it with `htpasswd -B`");
	if (GROW(u->items, u->capacity, u->count, e))
		return -1;
	struct user *user = &u->items[u->count++];
	*user = (struct user){ strdup(line), strdup(colon + 1) };
	return user->name && user->hash ? 0 : err_memory(e);
}

static int read_lines(struct users *u, char *text, struct err *e)
{
	size_t number = 0;

	for (char *next, *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		size_t len = strlen(line);
		while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
			line[--len] = '\0';
		if (*line && *line != '#' && add_user(u, line, e))
			return err_at(e, "line %zu", number);
	}
	return u->count ? 0 : err_set(e, ERR_USAGE, "names no user; `htpasswd -cB FILE USER` makes one");
}

struct users *users_read(const char *path, struct err *e)
{
	char shown[160];
	AUTO_BUF text = { 0 };
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	text_escape_str(shown, sizeof(shown), path);
	if (fd < 0) {
		err_sys(e, ERR_LOCAL, errno, "%s", shown);
		return NULL;
	}
	struct users *made = calloc(1, sizeof(*made));
	if (!made) {
		err_memory(e);
		return NULL;
	}
	(void)pthread_mutex_init(&made->memory_lock, NULL);
	(void)pthread_mutex_init(&made->crypt_lock, NULL);
	AUTO(users) u = made;
	if (getrandom(u->key, sizeof(u->key), 0) != (ssize_t)sizeof(u->key)) {
		err_sys(e, ERR_LOCAL, errno, "no random numbers");
		return NULL;
	}
	if (buf_reserve(&text, 1, e) || buf_read(&text, fd, LIMIT_HTPASSWD, e) || read_lines(u, text.data, e)) {
		err_at(e, "%s", shown);
		return NULL;
	}
	return TAKE(u);
}

/* Of user and password together, under a key that nobody knows: its comparing may take what time it likes. */
static int keyed(const struct users *u, const char *user, const char *password, struct digest *out)
{
	AUTO(hasher) h = hasher_new(NULL);

	return !h || hasher_update(h, u->key, sizeof(u->key), NULL) || hasher_update(h, user, strlen(user) + 1, NULL) ||
			       hasher_update(h, password, strlen(password) + 1, NULL) || hasher_finish(h, out, NULL)
		       ? -1
		       : 0;
}

static bool remembers(struct users *u, const struct digest *d)
{
	bool found = false;

	pthread_mutex_lock(&u->memory_lock);
	for (size_t i = 0; !found && i < u->right_count && i < REMEMBERED; i++)
		found = digest_equal(&u->right[i], d);
	pthread_mutex_unlock(&u->memory_lock);
	return found;
}

static void remember(struct users *u, const struct digest *d)
{
	pthread_mutex_lock(&u->memory_lock);
	u->right[u->right_count++ % REMEMBERED] = *d;
	pthread_mutex_unlock(&u->memory_lock);
}

/* Takes as long wherever they differ. */
static bool same_text(const char *a, const char *b)
{
	const size_t len = strlen(a);
	unsigned char different = 0;

	if (len != strlen(b)) /* how long a hash is, its kind says */
		return false;
	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)((unsigned char)a[i] ^ (unsigned char)b[i]);
	return !different;
}

static bool hash_fits(struct users *u, const char *password, const char *hash)
{
	pthread_mutex_lock(&u->crypt_lock);
	const char *made = crypt_r(password, hash, &u->crypt);
	const bool fits = made && *made != '*' && same_text(made, hash);
	pthread_mutex_unlock(&u->crypt_lock);
	return fits;
}

bool users_check(struct users *u, const char *user, const char *password)
{
	const struct user *found = NULL;
	struct digest d;

	if (keyed(u, user, password, &d))
		return false;
	if (remembers(u, &d))
		return true;
	for (size_t i = 0; i < u->count; i++)
		if (!strcmp(u->items[i].name, user))
			found = &u->items[i];
	/* Nobody: the same work, for nothing. */
	const bool fits = hash_fits(u, password, (found ? found : &u->items[0])->hash);
	if (!found || !fits)
		return false;
	remember(u, &d);
	return true;
}
