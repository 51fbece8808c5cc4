// What Debian's libcurl.a calls and has no archive for: Kerberos, LDAP and RTMP. lade asks libcurl
// for HTTP and HTTPS only, with its own credentials, so none of these is ever reached; that one is
// ends the program rather than do something else (docs/decisions/0001-linking.md).
#include <cstdlib>

// The types do not matter: nothing is called, only found by the linker.
#define LADE_ABSENT(name)                  \
  extern "C" [[noreturn]] void name(void); \
  extern "C" void name(void) {             \
    std::abort();                          \
  }

LADE_ABSENT(GSS_C_NT_HOSTBASED_SERVICE)
LADE_ABSENT(RTMP_Alloc)
LADE_ABSENT(RTMP_Close)
LADE_ABSENT(RTMP_Connect1)
LADE_ABSENT(RTMP_ConnectStream)
LADE_ABSENT(RTMP_Free)
LADE_ABSENT(RTMP_Init)
LADE_ABSENT(RTMP_Read)
LADE_ABSENT(RTMP_SetBufferMS)
LADE_ABSENT(RTMP_SetupURL)
LADE_ABSENT(RTMP_Write)
LADE_ABSENT(ber_bvfree)
LADE_ABSENT(ber_free)
LADE_ABSENT(ber_memfree)
LADE_ABSENT(ber_sockbuf_add_io)
LADE_ABSENT(gss_delete_sec_context)
LADE_ABSENT(gss_display_name)
LADE_ABSENT(gss_display_status)
LADE_ABSENT(gss_import_name)
LADE_ABSENT(gss_init_sec_context)
LADE_ABSENT(gss_inquire_context)
LADE_ABSENT(gss_release_buffer)
LADE_ABSENT(gss_release_name)
LADE_ABSENT(gss_unwrap)
LADE_ABSENT(gss_wrap)
LADE_ABSENT(ldap_abandon_ext)
LADE_ABSENT(ldap_err2string)
LADE_ABSENT(ldap_free_urldesc)
LADE_ABSENT(ldap_get_attribute_ber)
LADE_ABSENT(ldap_get_dn_ber)
LADE_ABSENT(ldap_get_option)
LADE_ABSENT(ldap_init_fd)
LADE_ABSENT(ldap_memfree)
LADE_ABSENT(ldap_msgfree)
LADE_ABSENT(ldap_msgtype)
LADE_ABSENT(ldap_parse_result)
LADE_ABSENT(ldap_parse_sasl_bind_result)
LADE_ABSENT(ldap_pvt_url_scheme2proto)
LADE_ABSENT(ldap_result)
LADE_ABSENT(ldap_sasl_bind)
LADE_ABSENT(ldap_search_ext)
LADE_ABSENT(ldap_set_option)
LADE_ABSENT(ldap_start_tls)
LADE_ABSENT(ldap_unbind_ext)
LADE_ABSENT(ldap_url_parse)
LADE_ABSENT(ber_memvfree)
