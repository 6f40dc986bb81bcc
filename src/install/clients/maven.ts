import { download } from "./apt.ts";
import type { InstallClient } from "./client.ts";

const _trust = `
import java.io.*; import java.security.*; import java.security.cert.*;
class Trust {
  public static void main(String[] files) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    int n = 0;
    try (InputStream in = new FileInputStream(files[0])) {
      for (java.security.cert.Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("c" + n++, one);
      }
    }
    try (OutputStream out = new FileOutputStream(files[1])) { store.store(out, "changeit".toCharArray()); }
  }
}
`;

/** Jars from Maven's coordinates, with all they need; Maven itself comes from the image, or from its package manager. */
export const maven: InstallClient = {
  name: "Maven",
  pattern:
    /^([A-Za-z0-9_][A-Za-z0-9_.-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*):[A-Za-z0-9_][A-Za-z0-9_.+-]*$/,
  example: '"org.apache.commons:commons-lang3:3.12.0"',
  telling: /^\[ERROR\] Failed to execute/,
  passedOn: [],
  script: `
if ! command -v mvn >/dev/null; then
  command -v apt-get >/dev/null || { echo "the image has neither mvn nor apt-get to get it with" >&2; exit 64; }
  ${download}
  fetch maven
  unpack "$SCRATCH/root"
fi
set_up() {
  tunnel=\${https_proxy#*://}
  set -- -Dmaven.repo.local="$SCRATCH/m2"
  if [ -n "$tunnel" ]; then
    for way in http https; do
      set -- "$@" "-D$way.proxyHost=\${tunnel%:*}" "-D$way.proxyPort=\${tunnel##*:}"
    done
  fi
  if [ -n "$SSL_CERT_FILE" ]; then
    cat > "$SCRATCH/Trust.java" <<'END'
${_trust}
END
    java "$SCRATCH/Trust.java" "$SSL_CERT_FILE" "$SCRATCH/trust.p12"
    set -- "$@" "-Djavax.net.ssl.trustStore=$SCRATCH/trust.p12" -Djavax.net.ssl.trustStorePassword=changeit
  fi
  export MAVEN_OPTS="$*"
}
set_up
{
  echo '<project><modelVersion>4.0.0</modelVersion><groupId>libraries</groupId><artifactId>libraries</artifactId>'
  echo '<version>1</version><dependencies>'
  for one; do
    rest=\${one#*:}
    echo "<dependency><groupId>\${one%%:*}</groupId><artifactId>\${rest%%:*}</artifactId><version>\${rest#*:}</version></dependency>"
  done
  echo '</dependencies></project>'
} > "$SCRATCH/pom.xml"
cd "$SCRATCH"
set -- -B -q -f "$SCRATCH/pom.xml" dependency:copy-dependencies dependency:list -DincludeScope=runtime \\
  "-DoutputDirectory=$LIBRARIES" "-DoutputFile=$SCRATCH/list"
if command -v mvn >/dev/null; then
  mvn "$@" >&2
else
  home=$SCRATCH/root/usr/share/maven conf=$SCRATCH/root/etc/maven
  java $MAVEN_OPTS -classpath "$home/boot/plexus-classworlds-2.x.jar" "-Dclassworlds.conf=$conf/m2.conf" \\
    "-Dmaven.conf=$conf" "-Dmaven.home=$home" "-Dmaven.multiModuleProjectDirectory=$SCRATCH" \\
    org.codehaus.plexus.classworlds.launcher.Launcher "$@" >&2
fi
while IFS=: read -r group artifact kind version scope; do
  jar=$LIBRARIES/$artifact-$version.jar
  [ -f "$jar" ] || continue
  sum=$(sha256sum "$jar")
  printf '%s:%s\\t%s\\t%s\\n' "\${group##* }" "$artifact" "$version" "\${sum%% *}"
done < "$SCRATCH/list" > "$INSTALLED"
`,
};
