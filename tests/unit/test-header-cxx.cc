/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layerbox.h from C++: it compiles without a warning, links without mangled names, and its structs can be given. */
#include "../../liblayerbox/layerbox.h"

#include <cstdio>
#include <cstring>

static int number;

static void check(bool ok, const char *what)
{
	std::printf("%sok %d - %s\n", ok ? "" : "not ", ++number, what);
}

int main()
{
	lb_context_options options{};
	lb_create_options create{};
	lb_context *context = nullptr;

	std::puts("1..4");
	check(std::strcmp(lb_version(), LAYERBOX_VERSION) == 0, "the library is the header's");
	options.size = sizeof options;
	options.root = "/nowhere";
	options.config_file = "/dev/null";
	create.size = sizeof create;
	check(!create.privileged && !create.base, "options are empty by default");
	check(lb_context_new(&options, &context) == 0, "a context is made");
	check(lb_name_check(context, "../x") == -LB_ERR_BAD_NAME, "a bad name is refused");
	lb_context_free(context);
	return 0;
}
