/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checksums of content, by libnettle: SHA-256 for manifests, MD5 where dpkg's files have it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SHA256_BYTES = 32, DIGEST_MD5_BYTES = 16 };

/* Of a buffer. */
void digest_sha256(const void *data, size_t length, uint8_t ret_digest[DIGEST_SHA256_BYTES]);
void digest_md5(const void *data, size_t length, uint8_t ret_digest[DIGEST_MD5_BYTES]);

/* Of a whole open file, wherever its offset is, which stays there. 0, or a negative errno. */
int digest_sha256_fd(int fd, uint8_t ret_digest[DIGEST_SHA256_BYTES]);
int digest_md5_fd(int fd, uint8_t ret_digest[DIGEST_MD5_BYTES]);

/* SHA-256 of what comes piece by piece. NULL without memory; ended once, which also frees it. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *digest, const void *data, size_t length);
void digest_end(struct digest *digest, uint8_t ret_digest[DIGEST_SHA256_BYTES]);

/* Lower-case hexadecimal digits, two for each of @count bytes, and a NUL. Also for other bytes. */
void digest_to_text(const uint8_t *bytes, size_t count, char *ret_text);

/* The other way, from the first 2 * @count characters of @text; false where one of them is no such digit. */
bool digest_from_text(const char *text, size_t count, uint8_t *ret_bytes);
