/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_ORIGIN_H
#define REGISTRY_ORIGIN_H

/*
 * Where a server may send us. It names token services, redirect targets and upload places, and may be hostile or taken
 * over: it must not turn us against a host that only we can reach, nor lead https into the open.
 */

#include "base/err.h"

#include <stdbool.h>

/*
 * May credentials be sent to `realm`, on the word of the server at `home`? An https server must name an https realm. A
 * realm at an address literal that is private, or at this machine, must stand at home's own host and port; any port of
 * it if home is written as local (localhost, 127.x.x.x, [::1]). No userinfo, no strange bytes. Refusal: ERR_DENIED.
 */
int origin_check_realm(const char *home, const char *realm, struct err *e);

/*
 * May a request for bytes, without credentials, go on from `from` to `to`? https never goes on to http. Another origin
 * at a private address literal or at this machine is refused, unless the registry `home` is such a host itself.
 * ERR_NETWORK.
 */
int origin_check_redirect(const char *home, const char *from, const char *to, struct err *e);

bool origin_is_https(const char *url);

/* "https://host[:port]" for a message, escaped, into out; "?" if it cannot be told. Returned. */
#define ORIGIN_TEXT_SIZE 320
const char *origin_text(const char *url, char out[ORIGIN_TEXT_SIZE]);

#endif
