/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-attributes.h"

#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <linux/limits.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#include "archive-entry.h"
#include "util/text.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* From linux/posix_acl.h, which is the kernel's own. */
enum { TAG_USER_OBJ = 1, TAG_USER = 2, TAG_GROUP_OBJ = 4, TAG_GROUP = 8, TAG_MASK = 16, TAG_OTHER = 32 };

bool oci_attribute_is_known(const char *name)
{
	/* A '=' ends the key of a header; nobody could read it back. */
	return (text_after(name, "user.") || text_equal(name, "security.capability") || text_equal(name, ACL_ACCESS) ||
		text_equal(name, ACL_DEFAULT)) &&
	       !strchr(name, '=');
}

/* ---- access control lists ---- */

/* libarchive's word for the kernel's, or 0. */
static int tag_of(unsigned tag)
{
	switch (tag) {
	case TAG_USER_OBJ:
		return ARCHIVE_ENTRY_ACL_USER_OBJ;
	case TAG_USER:
		return ARCHIVE_ENTRY_ACL_USER;
	case TAG_GROUP_OBJ:
		return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
	case TAG_GROUP:
		return ARCHIVE_ENTRY_ACL_GROUP;
	case TAG_MASK:
		return ARCHIVE_ENTRY_ACL_MASK;
	case TAG_OTHER:
		return ARCHIVE_ENTRY_ACL_OTHER;
	default:
		return 0;
	}
}

static bool take_acl(struct archive_entry *entry, int type, const char *value, size_t size)
{
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry one;

	if (size < sizeof header || (size - sizeof header) % sizeof one)
		return false;
	memcpy(&header, value, sizeof header);
	if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (size_t at = sizeof header; at < size; at += sizeof one) {
		int tag, id;

		memcpy(&one, value + at, sizeof one);
		tag = tag_of(le16toh(one.e_tag));
		id = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP ? (int)le32toh(one.e_id) : -1;
		if (!tag || le16toh(one.e_perm) > 7 ||
		    archive_entry_acl_add_entry(entry, type, le16toh(one.e_perm), tag, id, NULL) != ARCHIVE_OK)
			return false;
	}
	return true;
}

bool oci_attributes_keep_known(struct archive_entry *entry)
{
	const void *value;
	const char *name;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if ((text_equal(name, ACL_ACCESS) &&
		     !take_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, size)) ||
		    (text_equal(name, ACL_DEFAULT) && !take_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value, size)))
			return false;
	archive_entry_keep_known_xattrs(entry);
	return true;
}

/* ---- what is there ---- */

int oci_attributes_clear(int dir_fd, const char *name)
{
	char path[64 + NAME_MAX], names[XATTR_LIST_MAX];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	n = llistxattr(path, names, sizeof names);
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *one = names; one < names + n; one += strlen(one) + 1)
		if (oci_attribute_is_known(one) && lremovexattr(path, one) < 0)
			return -errno;
	return 0;
}
