@echo off
rem Commands of the operator's binary as a pod in the cluster, for Windows: call "lib-operator.bat" :LABEL ARGUMENTS.
rem The same as lib-operator.sh.
call %*
if errorlevel 1 exit /b 1
exit /b 0

:defaults
set "OPERATOR_IMAGE="
set "FILES_IMAGE=pgvector/pgvector:pg17"
set "ADMIN_USER=postgres"
exit /b 0

rem option NAME [VALUE]: as in lib-deploy.bat, with --image, --files-image and --admin-user
:option
set "VARIABLE="
if "%~1"=="--image" set "VARIABLE=OPERATOR_IMAGE"
if "%~1"=="--files-image" set "VARIABLE=FILES_IMAGE"
if "%~1"=="--admin-user" set "VARIABLE=ADMIN_USER"
if "%VARIABLE%"=="" call "%~dp0lib-deploy.bat" :option %1 %2
if "%VARIABLE%"=="" exit /b 0
call "%~dp0lib-deploy.bat" :value %1 %2
set "%VARIABLE%=%~2"
exit /b 0

rem of_identity VARIABLE JSONPATH: something of the pods of identity, empty when it is not there
:of_identity
call "%~dp0lib-deploy.bat" :ask get deployment %RELEASE%-identity -o "jsonpath={.spec.template.spec.%~2}" 2>nul
set "%~1=%LINE%"
exit /b 0

rem The operator's image beside the image that a service runs.
:find_image
if not "%OPERATOR_IMAGE%"=="" exit /b 0
call :of_identity OPERATOR_IMAGE containers[0].image
if "%OPERATOR_IMAGE%"=="" echo error: there is no release %RELEASE% in %NAMESPACE% 1>&2
if "%OPERATOR_IMAGE%"=="" exit /b 1
set "WHOLE=%OPERATOR_IMAGE%"
set "OPERATOR_IMAGE=%WHOLE:/identity:=/bizosaas:%"
if not "%OPERATOR_IMAGE%"=="%WHOLE%" exit /b 0
echo error: the services' images are named by digest (%WHOLE%): name the operator's with --image 1>&2
exit /b 1

:find_settings
call :of_identity SECRET "volumes[?(@.name=='secrets')].projected.sources[0].secret.name"
if "%SECRET%"=="" set "SECRET=%RELEASE%"
set "OTHER_SECRET="
call %KUBE% get deployments,jobs --selector "app.kubernetes.io/instance=%RELEASE%" -o "jsonpath={range .items[*].spec.template.spec.volumes[?(@.name=='secrets')].projected.sources[*]}{.secret.name}{'\n'}{end}" >"%SCRATCH%\sources"
for /f "usebackq tokens=1" %%S in ("%SCRATCH%\sources") do if not "%%S"=="%SECRET%" set "OTHER_SECRET=%%S"
if not "%OTHER_SECRET%"=="" goto several_secrets
call :of_identity CONFIG containers[0].envFrom[0].configMapRef.name
if "%CONFIG%"=="" set "CONFIG=%RELEASE%"
call :of_identity CA_SECRET "volumes[?(@.name=='database-ca')].secret.secretName"
call :of_identity PULL_SECRETS imagePullSecrets[0].name
if not "%PULL_SECRETS%"=="" set "PULL_SECRETS=name: %PULL_SECRETS%"
set "ADMIN=yes"
call %KUBE% get secret %SECRET% -o "go-template={{range $k, $v := .data}}{{$k}} {{end}}" >"%SCRATCH%\keys"
"%FIND%" "postgres-admin-password " <"%SCRATCH%\keys" >nul
if errorlevel 1 set "ADMIN=no"
exit /b 0

:several_secrets
echo error: secrets.overrides takes keys from the Secret %OTHER_SECRET% as well as from %SECRET%, and this script's pod reads one Secret: put all keys into one and name it in secrets.existingSecret 1>&2
exit /b 1

:need_admin
if "%ADMIN%"=="yes" exit /b 0
echo error: the Secret %SECRET% has no postgres-admin-password, which this needs 1>&2
exit /b 1

rem start KIND ARGUMENTS: KIND plain, take or give as in lib-operator.sh
:start
set "NAME=%RELEASE%-operator-%RANDOM%"
set "IMAGE=%OPERATOR_IMAGE%"
set "ARGS=%~2"
set "POD_FILE=%SCRATCH%\pod.yaml"
type nul >"%POD_FILE%"
call :part operator-pod
if not "%CA_SECRET%"=="" >>"%POD_FILE%" echo     - {name: database-ca, secret: {secretName: %CA_SECRET%}}
if "%~1"=="take" >>"%POD_FILE%" echo   initContainers:
if "%~1"=="take" call :container
if "%~1"=="give" >>"%POD_FILE%" echo   initContainers:
if "%~1"=="give" call :part files-container
>>"%POD_FILE%" echo   containers:
if "%~1"=="take" call :part files-container
if not "%~1"=="take" call :container
if "%DRY_RUN%"=="yes" echo + %KUBE% create --filename - for pod %NAME%: %IMAGE% %ARGS%
if "%DRY_RUN%"=="yes" exit /b 0
set "POD=%NAME%"
call %KUBE% create --filename "%POD_FILE%" >nul
if errorlevel 1 exit /b 1
exit /b 0

:container
call :part operator-container
if not "%CA_SECRET%"=="" >>"%POD_FILE%" echo         - {name: database-ca, mountPath: /run/secrets/database-ca, readOnly: true}
call :part operator-environment
if "%ADMIN%"=="no" exit /b 0
>>"%POD_FILE%" echo         - {name: POSTGRES_USER, value: %ADMIN_USER%}
>>"%POD_FILE%" echo         - {name: POSTGRES_PASSWORD_FILE, value: /run/secrets/bizosaas/postgres-admin-password}
exit /b 0

rem part FILE: a part of the pod with its words replaced
:part
for /f "usebackq delims=" %%L in ("%~dp0manifests\%~1.yaml") do call :line "%%L"
exit /b 0

:line
set "LINE=%~1"
call set "LINE=%%LINE:@NAME@=%NAME%%%"
call set "LINE=%%LINE:@RELEASE@=%RELEASE%%%"
call set "LINE=%%LINE:@TIMEOUT@=%TIMEOUT%%%"
call set "LINE=%%LINE:@SECRET@=%SECRET%%%"
call set "LINE=%%LINE:@CONFIG@=%CONFIG%%%"
call set "LINE=%%LINE:@PULL_SECRETS@=%PULL_SECRETS%%%"
call set "LINE=%%LINE:@IMAGE@=%IMAGE%%%"
call set "LINE=%%LINE:@FILES_IMAGE@=%FILES_IMAGE%%%"
call set "LINE=%%LINE:@ARGS@=%ARGS%%%"
>>"%POD_FILE%" echo %LINE%
exit /b 0

rem wait PHASE PHASE: waits for one of these; errorlevel 1 when the pod failed or it took too long
:wait
set "LEFT=%TIMEOUT%"

:wait_again
call "%~dp0lib-deploy.bat" :ask get pod %POD% -o "jsonpath={.status.phase}"
if "%LINE%"=="%~1" exit /b 0
if "%LINE%"=="%~2" exit /b 0
if "%LINE%"=="Failed" exit /b 1
if %LEFT% LEQ 0 goto wait_late
set /a LEFT-=1
ping -n 2 127.0.0.1 >nul
goto wait_again

:wait_late
call %KUBE% get pod %POD% -o wide 1>&2
call %KUBE% get events --field-selector involvedObject.name=%POD% 1>&2
echo error: the pod %POD% is still %LINE% after %TIMEOUT% seconds 1>&2
exit /b 1

:logs
call %KUBE% logs %POD% --container operator
exit /b 0

rem take FILE: the file that the operator wrote, whole or not at all
:take
call %KUBE% exec %POD% --container files -- cat /backup/backup.tar >"%~1.partial"
call :compare "%~1.partial" backup.tar
if errorlevel 1 del "%~1.partial"
if not exist "%~1.partial" exit /b 1
move "%~1.partial" "%~1" >nul
call %KUBE% exec %POD% --container files -- touch /backup/passed
exit /b 0

rem give FILE [NAME]: the file for the operator, which finds it as /backup/NAME and starts when it is there
:give
set "GIVEN=%~2"
if "%GIVEN%"=="" set "GIVEN=backup.tar"
set "LEFT=%TIMEOUT%"

:give_again
call "%~dp0lib-deploy.bat" :ask get pod %POD% -o "jsonpath={.status.initContainerStatuses[0].state.running.startedAt}"
if not "%LINE%"=="" goto give_now
if %LEFT% LEQ 0 echo error: the pod %POD% does not start: kubectl describe pod %POD% 1>&2
if %LEFT% LEQ 0 exit /b 1
set /a LEFT-=1
ping -n 2 127.0.0.1 >nul
goto give_again

:give_now
call %KUBE% exec --stdin %POD% --container files -- sh -c "cat >/backup/%GIVEN%" <"%~1"
call :compare "%~1" %GIVEN%
if errorlevel 1 exit /b 1
call %KUBE% exec %POD% --container files -- touch /backup/passed
exit /b 0

rem compare FILE NAME: errorlevel 1 unless it is what the pod has as /backup/NAME
:compare
set "HERE=none"
set "THERE="
call certutil -hashfile "%~1" SHA256 >"%SCRATCH%\hash"
rem the second of its three lines
for /f "usebackq skip=1 tokens=1" %%H in ("%SCRATCH%\hash") do call :first %%H
call %KUBE% exec %POD% --container files -- sha256sum /backup/%~2 >"%SCRATCH%\there"
for /f "usebackq tokens=1" %%H in ("%SCRATCH%\there") do set "THERE=%%H"
if /i "%HERE%"=="%THERE%" exit /b 0
echo error: the file was damaged on its way 1>&2
exit /b 1

:first
if "%HERE%"=="none" set "HERE=%~1"
exit /b 0
