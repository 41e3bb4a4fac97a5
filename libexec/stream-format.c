/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-format.h"

#include <inttypes.h>
#include <limits.h>

#include "util/text.h"

#define OVERLAY "trusted.overlay."

bool stream_xattr_is_ours(const char *name)
{
	return text_after(name, "user.") || text_after(name, "trusted.") || text_equal(name, "security.capability") ||
	       text_equal(name, "system.posix_acl_access") || text_equal(name, "system.posix_acl_default");
}

/*
 * Attributes of overlayfs are instructions to the kernel. Only that a directory is opaque says something about the
 * container's files; what an overlay inside the container wrote is escaped as trusted.overlay.overlay.*.
 */
enum stream_xattr stream_xattr_rule(const char *name, const void *value, size_t size)
{
	if (text_equal(name, OVERLAY "opaque"))
		return size == 1 && *(const char *)value == 'y' ? STREAM_XATTR_CARRIED : STREAM_XATTR_LEFT_OUT;
	if (text_after(name, OVERLAY) && !text_after(name, OVERLAY "overlay."))
		return STREAM_XATTR_LEFT_OUT;
	if (!stream_xattr_is_ours(name))
		return STREAM_XATTR_LEFT_OUT;
	return text_after(name, "trusted.") ? STREAM_XATTR_PRIVILEGED : STREAM_XATTR_CARRIED;
}

bool stream_path_is_safe(const char *path)
{
	struct slice rest = slice_of(path), part;

	if (!rest.length || rest.length > STREAM_PATH_MAX || *path == '/')
		return false;
	while (slice_cut(&rest, '/', &part))
		if (!part.length || part.length > NAME_MAX || slice_is(part, ".") || slice_is(part, ".."))
			return false;
	return true;
}

size_t stream_end_text(uint64_t members, uint64_t bytes, const uint8_t digest[DIGEST_SHA256_BYTES],
		       char ret_text[STREAM_END_TEXT_MAX])
{
	char text[2 * DIGEST_SHA256_BYTES + 1];

	digest_to_text(digest, DIGEST_SHA256_BYTES, text);
	return (size_t)snprintf(ret_text, STREAM_END_TEXT_MAX,
				"members = %020" PRIu64 "\nbytes = %020" PRIu64 "\nsha256 = %s\n", members, bytes,
				text);
}
