/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Package databases, damaged in thousands of ways that are the same in every run: nothing may crash or be lost. */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/packages.h"

/* As Debian 12 has it, without descriptions. */
static const char real[] =
	"Package: dpkg\n"
	"Essential: yes\n"
	"Status: install ok installed\n"
	"Priority: required\n"
	"Section: admin\n"
	"Installed-Size: 6409\n"
	"Architecture: amd64\n"
	"Multi-Arch: foreign\n"
	"Version: 1.21.22\n"
	"Depends: tar (>= 1.28-1)\n"
	"Pre-Depends: libbz2-1.0, libc6 (>= 2.34), liblzma5 (>= 5.4.0), libmd0 (>= 0.0.0), libselinux1 (>= "
	"3.1~), libzstd1 (>= 1.5.2), zlib1g (>= 1:1.1.4)\n"
	"Breaks: libapt-pkg5.0 (<< 1.7~b), lsb-base (<< 10.2019031300)\n"
	"Conffiles:\n"
	" /etc/alternatives/README 7be88b21f7e386c8d5a8790c2461c92b\n"
	" /etc/cron.daily/dpkg 94bb6c1363245e46256908a5d52ba4fb\n"
	" /etc/dpkg/dpkg.cfg f4413ffb515f8f753624ae3bb365b81b\n"
	" /etc/logrotate.d/alternatives 5fe0af6ce1505fefdc158d9e5dbf6286\n"
	" /etc/logrotate.d/dpkg 9e25c8505966b5829785f34a548ae11f\n"
	"Homepage: https://wiki.debian.org/Teams/Dpkg\n"
	"\n"
	"Package: libc6\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: libs\n"
	"Installed-Size: 13001\n"
	"Architecture: amd64\n"
	"Multi-Arch: same\n"
	"Source: glibc\n"
	"Version: 2.36-9+deb12u14\n"
	"Depends: libgcc-s1\n"
	"Recommends: libidn2-0 (>= 2.0.5~)\n"
	"Breaks: aide (<< 0.17.3-4+b3), busybox (<< 1.30.1-6), chrony (<< 4.2-3~), fakechroot (<< 2.19-3.5), "
	"firefox (<< 91~), firefox-esr (<< 91~), gnumach-image-1.8-486 (<< 2:1.8+git20210923~), "
	"gnumach-image-1.8-486-dbg (<< 2:1.8+git20210923~), gnumach-image-1.8-xen-486 (<< "
	"2:1.8+git20210923~), gnumach-image-1.8-xen-486-dbg (<< 2:1.8+git20210923~), hurd (<< "
	"1:0.9.git20220301-2), ioquake3 (<< 1.36+u20200211.f2c61c1~dfsg-2~), iraf-fitsutil (<< "
	"2018.07.06-4), libgegl-0.4-0 (<< 0.4.18), libtirpc1 (<< 0.2.3), locales (<< 2.36), locales-all (<< "
	"2.36), macs (<< 2.2.7.1-3~), nocache (<< 1.1-1~), nscd (<< 2.36), openarena (<< 0.8.8+dfsg-4~), "
	"openssh-server (<< 1:8.1p1-5), python3-iptables (<< 1.0.0-2), r-cran-later (<< 0.7.5+dfsg-2), "
	"tinydns (<< 1:1.05-14), valgrind (<< 1:3.19.0-1~), wcc (<< 0.0.2+dfsg-3)\n"
	"Conffiles:\n"
	" /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab\n"
	"Homepage: https://www.gnu.org/software/libc/libc.html\n"
	"\n"
	"Package: libgcc-s1\n"
	"Protected: yes\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: libs\n"
	"Installed-Size: 140\n"
	"Architecture: amd64\n"
	"Multi-Arch: same\n"
	"Source: gcc-12\n"
	"Version: 12.2.0-14+deb12u1\n"
	"Provides: libgcc1 (= 1:12.2.0-14+deb12u1)\n"
	"Depends: gcc-12-base (= 12.2.0-14+deb12u1), libc6 (>= 2.35)\n"
	"Homepage: http://gcc.gnu.org/\n"
	"Important: yes\n"
	"\n"
	"Package: zlib1g\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: libs\n"
	"Installed-Size: 168\n"
	"Architecture: amd64\n"
	"Multi-Arch: same\n"
	"Source: zlib\n"
	"Version: 1:1.2.13.dfsg-1\n"
	"Provides: libz1\n"
	"Depends: libc6 (>= 2.14)\n"
	"Breaks: libxml2 (<< 2.7.6.dfsg-2), texlive-binaries (<< 2009-12)\n"
	"Conflicts: zlib1 (<= 1:1.0.4-7)\n"
	"Homepage: http://zlib.net/\n"
	"\n"
	"Package: perl-base\n"
	"Essential: yes\n"
	"Status: install ok installed\n"
	"Priority: required\n"
	"Section: perl\n"
	"Installed-Size: 7639\n"
	"Architecture: amd64\n"
	"Source: perl\n"
	"Version: 5.36.0-7+deb12u2\n"
	"Provides: libfile-path-perl (= 2.18), libfile-temp-perl (= 0.2311), libio-socket-ip-perl (= 0.41), "
	"libscalar-list-utils-perl (= 1:1.62), libsocket-perl (= 2.033), libxsloader-perl (= 0.31), "
	"perlapi-5.36.0\n"
	"Pre-Depends: libc6 (>= 2.35), libcrypt1 (>= 1:4.1.0), dpkg (>= 1.17.17)\n"
	"Breaks: amanda-common (<< 1:3.3.9-2), backuppc (<< 4.4.0-7~), bucardo (<< 5.5.0-1.1), debconf (<< "
	"1.5.61), dh-haskell (<< 0.3), duck (<< 0.14.1), intltool (<< 0.51.0-4), kio-perldoc (<< 20.04.1-1), "
	"latexml (<< 0.8.4-2), libdevel-mat-dumper-perl (<< 0.42-3), libencode-arabic-perl (<< 14.2-2), "
	"libexception-class-perl (<< 1.42), libfile-path-perl (<< 2.18), libfile-spec-perl (<< 3.8400), "
	"libfile-temp-perl (<< 0.2311), libio-socket-ip-perl (<< 0.41), libmp3-tag-perl (<< 1.13-1.2), "
	"libsbuild-perl (<< 0.67.0-1), libscalar-list-utils-perl (<< 1:1.62), libsocket-perl (<< 2.033), "
	"libxsloader-perl (<< 0.31), mailagent (<< 1:3.1-81-2), perl (<< 5.36.0~), perl-modules (<< "
	"5.36.0~), pod2pdf (<< 0.42-5.1), slic3r (<< 1.2.9+dfsg-6.1), slic3r-prusa (<< 1.37.0+dfsg-1.1), "
	"texinfo (<< 6.1.0.dfsg.1-8)\n"
	"Conflicts: defoma (<< 0.11.12), doc-base (<< 0.10.3), mono-gac (<< 2.10.8.1-3), safe-rm (<< 0.8), "
	"update-inetd (<< 4.41)\n"
	"Homepage: http://dev.perl.org/perl5/\n"
	"\n"
	"Package: python3\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: python\n"
	"Installed-Size: 81\n"
	"Architecture: amd64\n"
	"Multi-Arch: allowed\n"
	"Source: python3-defaults (3.11.2-1)\n"
	"Version: 3.11.2-1+b1\n"
	"Provides: python3-profiler, python3-supported-max (= 3.11), python3-supported-min (= 3.11)\n"
	"Depends: python3.11 (>= 3.11.2-1~), libpython3-stdlib (= 3.11.2-1+b1)\n"
	"Pre-Depends: python3-minimal (= 3.11.2-1+b1)\n"
	"Homepage: https://www.python.org/\n"
	"\n"
	"Package: mawk\n"
	"Status: install ok installed\n"
	"Priority: required\n"
	"Section: interpreters\n"
	"Installed-Size: 263\n"
	"Architecture: amd64\n"
	"Multi-Arch: foreign\n"
	"Version: 1.3.4.20200120-3.1\n"
	"Provides: awk\n"
	"Depends: libc6 (>= 2.29)\n"
	"Homepage: https://invisible-island.net/mawk/\n"
	"\n"
	"Package: base-passwd\n"
	"Essential: yes\n"
	"Status: install ok installed\n"
	"Priority: required\n"
	"Section: admin\n"
	"Installed-Size: 247\n"
	"Architecture: amd64\n"
	"Multi-Arch: foreign\n"
	"Version: 3.6.1\n"
	"Depends: libc6 (>= 2.34), libdebconfclient0 (>= 0.145), libselinux1 (>= 3.1~)\n"
	"Recommends: debconf (>= 0.5) | debconf-2.0\n"
	"\n"
	"Package: libssl3\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: libs\n"
	"Installed-Size: 6029\n"
	"Architecture: amd64\n"
	"Multi-Arch: same\n"
	"Source: openssl\n"
	"Version: 3.0.19-1~deb12u2\n"
	"Depends: libc6 (>= 2.34)\n"
	"Homepage: https://www.openssl.org/\n"
	"\n"
	"Package: openssl\n"
	"Status: install ok installed\n"
	"Priority: optional\n"
	"Section: utils\n"
	"Installed-Size: 2308\n"
	"Architecture: amd64\n"
	"Multi-Arch: foreign\n"
	"Version: 3.0.19-1~deb12u2\n"
	"Depends: libc6 (>= 2.34), libssl3 (>= 3.0.9)\n"
	"Conffiles:\n"
	" /etc/ssl/openssl.cnf fe1993ec22f6b8a46cb9706acd8fc68f\n"
	"Homepage: https://www.openssl.org/\n"
	"\n"
	"Package: login\n"
	"Essential: yes\n"
	"Status: install ok installed\n"
	"Priority: required\n"
	"Section: admin\n"
	"Installed-Size: 2550\n"
	"Architecture: amd64\n"
	"Multi-Arch: foreign\n"
	"Source: shadow\n"
	"Version: 1:4.13+dfsg1-1+deb12u2\n"
	"Pre-Depends: libaudit1 (>= 1:2.2.1), libc6 (>= 2.34), libcrypt1 (>= 1:4.1.0), libpam0g (>= "
	"0.99.7.1), libpam-runtime, libpam-modules\n"
	"Conflicts: python-4suite (<< 0.99cvs20060405-1)\n"
	"Conffiles:\n"
	" /etc/login.defs f43a7b1eb7e082f1d4e2cb8f8376e71b\n"
	" /etc/pam.d/login 5afbc06eb5f71fef25170cf3c936a442\n"
	"Homepage: https://github.com/shadow-maint/shadow\n"
	"\n";

static uint64_t seed;

/* xorshift64*: no more than a number that looks like any. */
static size_t any(size_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (size_t)((seed * 0x2545f4914f6cdd1dULL >> 33) % below);
}

/* Replaces @cut bytes at @at by @length bytes of @data. */
static char *replace(char *text, size_t at, size_t cut, const char *data, size_t length)
{
	size_t size = strlen(text);
	char *result = malloc(size - cut + length + 1);

	assert_non_null(result);
	memcpy(result, text, at);
	memcpy(result + at, data, length);
	memcpy(result + at + length, text + at + cut, size - at - cut + 1);
	free(text);
	return result;
}

static const char *const words[] = {
	"\n",
	"\n\n",
	" ",
	":",
	",",
	" | ",
	"(",
	")",
	" (= ",
	" (>= 1)",
	" (<< 9:9)",
	"~",
	"-",
	"0000000000",
	":any",
	":i386",
	"\nPackage: dpkg",
	"\nMulti-Arch: same",
	"\nMulti-Arch: foreign",
	"\nArchitecture: i386",
	"\nVersion: 1:2-3",
	"\nStatus: hold ok installed",
	"\nStatus: deinstall ok config-files",
	"\nProvides: libc6 (= 1), dpkg",
	"\nConflicts: libc6",
	"\nDepends: never | dpkg (>= 9:1)",
	"triggers-pending",
	"\nTriggers-Pending: x",
	"hold",
	"9:",
	"\x80\xff",
	"\x01",
	"Package: x\nStatus: install ok installed\nVersion: 1\n\n",
};

static char *mutate_once(char *text)
{
	size_t size = strlen(text), at = any(size + 1), length = any(60), from = any(size + 1);
	const char *word = words[any(sizeof words / sizeof *words)];
	char byte = (char)(1 + any(255));
	CLEANUP_FREE char *copy = NULL;

	if (at + length > size)
		length = size - at;
	switch (any(6)) {
	case 0:
		return replace(text, at, at < size, &byte, 1);
	case 1:
		return replace(text, at, length, "", 0);
	case 2:
	case 3:
		return replace(text, at, 0, word, strlen(word));
	case 4:
		copy = strndup(text + from, any(800));
		assert_non_null(copy);
		return replace(text, at, 0, copy, strlen(copy));
	default:
		/* Versions and states change without damage. */
		at = (size_t)(strchrnul(text + at, '\n') - text);
		at -= at > 0;
		return replace(text, at, at < size, &"0123456789"[any(10)], 1);
	}
}

static char *mutate(void)
{
	char *text = strdup(real);

	assert_non_null(text);
	for (size_t i = any(5); i > 0; i--)
		text = mutate_once(text);
	return text;
}

static int merge(const char *old, const char *new, const char *own, struct report *report, struct package_merge *merged)
{
	const struct three_texts status = { .old = old, .new = new, .own = own };
	char error[200] = "";
	int r = packages_merge(&status, report, merged, error, sizeof error);

	assert_false(report->failed);
	assert_true(r == 0 || (r == -EINVAL && *error && !merged->status));
	return r;
}

/* What came out is a database again, and as settled as can be: on the new base it stays what it is. */
static void check_settled(const char *new, const struct package_merge *merged)
{
	CLEANUP(report_free) struct report report = { 0 };
	CLEANUP(package_merge_free) struct package_merge again = { 0 };

	if (merge(new, new, merged->status, &report, &again) == 0)
		assert_string_equal(again.status, merged->status);
	assert_int_equal(report.conflicts, 0);
}

static void run(const char *old, const char *new, const char *own, size_t *accepted)
{
	CLEANUP(report_free) struct report report = { 0 };
	CLEANUP(package_merge_free) struct package_merge merged = { 0 };
	CLEANUP_FREE char *states = NULL;
	const struct three_texts texts = { .old = old, .new = new, .own = own };

	if (merge(old, new, own, &report, &merged) == 0) {
		++*accepted;
		for (size_t i = 0; i < merged.count; i++)
			assert_ptr_equal(package_merge_find(&merged, merged.decisions[i].name), merged.decisions + i);
		if (report.conflicts == 0)
			check_settled(new, &merged);
	}
	(void)extended_states_merge(&texts, &states);
}

static void test_damaged_texts(void **state)
{
	size_t accepted = 0, rounds = 4000;

	(void)state;
	seed = 20240229;
	for (size_t i = 0; i < rounds; i++) {
		CLEANUP_FREE char *old = mutate(), *new = mutate(), *own = mutate();

		run(real, real, own, &accepted);
		run(old, new, own, &accepted);
	}
	/* Both ways were gone. */
	print_message("# %zu of %zu accepted\n", accepted, 2 * rounds);
	assert_true(accepted > rounds / 10 && accepted < 2 * rounds);
}

static void test_every_length(void **state)
{
	size_t accepted = 0;

	(void)state;
	for (size_t length = 0; length < sizeof real - 1; length++) {
		CLEANUP_FREE char *own = strndup(real, length);

		run(real, real, own, &accepted);
	}
	assert_true(accepted > 0 && accepted < sizeof real / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_texts),
		cmocka_unit_test(test_every_length),
	};

	return cmocka_run_group_tests_name("packages-fuzz", tests, NULL, NULL);
}
