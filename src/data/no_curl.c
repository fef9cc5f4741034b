/* no_curl.c — requests where libcurl is not built in. */
#include "http.h"

bool ursa_http(const ursa_http_request *request, ursa_http_answer *answer)
{
    *answer = (ursa_http_answer){.length = -1};
    return ursa_fail(URSA_ERROR_UNSUPPORTED, "%s: ursa was built without downloads (libcurl, meson option \"curl\")",
                     request->url);
}
